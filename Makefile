# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make                 vpngw, vpngw-authd, vpngwctl, vpngw-metrics in build/rel
# make check           unit tests, fuzz corpora, layers, format, man pages: no root, no network
# make SAN=1 check     the same under AddressSanitizer and UndefinedBehaviorSanitizer
# make fuzz            libFuzzer programs in build/fuzz (clang)
# make lint            gcc -fanalyzer over the core
# make bench           what a login costs, against the bare cryptography (root)
# make install         DESTDIR= prefix=/usr/local sysconfdir=/etc; make uninstall
#
# WERROR=1 makes warnings errors, V=1 shows commands, ACCEL=none leaves libcrypto out.

VERSION := 0.1.0
prefix ?= /usr/local
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),/etc,$(prefix)/etc)
sbindir ?= $(prefix)/sbin
bindir ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
libdir ?= $(prefix)/lib
mandir ?= $(prefix)/share/man
datadir ?= $(prefix)/share
docdir ?= $(prefix)/share/doc/vpngw
unitdir ?= $(if $(filter /usr,$(prefix)),$(shell pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null || echo /lib/systemd/system),$(libdir)/systemd/system)
sysusersdir ?= $(libdir)/sysusers.d
catalogdir ?= $(libdir)/systemd/catalog
modulesloaddir ?= $(libdir)/modules-load.d
sysctldir ?= $(libdir)/sysctl.d

CC ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
B := build/$(if $(SAN),san,$(if $(COV),cov,rel))
Q := $(if $(V),,@)
SAY = @$(if $(V),:,printf '  %-7s %s\n')

CORE_PKGS  := gnutls hogweed nettle libmnl
SHELL_PKGS := libsystemd libnl-3.0 libnl-route-3.0 jansson sqlite3
ACCEL ?= auto
ifneq ($(ACCEL),none)
ifeq ($(shell $(PKG_CONFIG) --exists libcrypto && echo yes),yes)
CORE_PKGS += libcrypto
CPPFLAGS += -DHAVE_LIBCRYPTO
HAVE_LIBCRYPTO := yes
endif
endif

CPPFLAGS += -iquote src -iquote tests/lib -iquote tests/unit -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(sysconfdir)"' \
	-DSBINDIR='"$(sbindir)"' -DLIBEXECDIR='"$(libexecdir)/vpngw"' -DLIBDIR='"$(libdir)/vpngw"' \
	$(shell $(PKG_CONFIG) --cflags $(CORE_PKGS) $(SHELL_PKGS))
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wimplicit-fallthrough -Wwrite-strings -Wcast-qual -Wswitch -Wundef \
	$(if $(WERROR),-Werror)
# GCC 12 clears bytes that are no padding when it means to clear padding: tests/unit/test_compiler.c.
AUTO_INIT := $(if $(filter 12.% 12,$(shell $(CC) -dumpversion)),,-ftrivial-auto-var-init=zero)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fno-common \
	$(AUTO_INIT) $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
comma := ,
SANF := -fsanitize=address,undefined -fno-sanitize-recover=all
OPTS := -std=gnu17 -pthread $(WARN) $(HARDEN) -MMD -MP \
	$(if $(SAN),$(SANF) -fno-omit-frame-pointer,$(if $(COV),,-D_FORTIFY_SOURCE=2)) \
	$(if $(COV),--coverage -O0)
LINK := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(if $(SAN),$(SANF)) $(if $(COV),--coverage)
CORE_LIBS := $(shell $(PKG_CONFIG) --libs $(CORE_PKGS)) -lgmp -lm
# The address sanitizer has a crypt_r() of its own that calls the real one: the linker must not think
# that libcrypt is not needed.
SHELL_LIBS := $(shell $(PKG_CONFIG) --libs $(SHELL_PKGS)) \
	$(if $(SAN),-Wl$(comma)--push-state$(comma)--no-as-needed -lcrypt -Wl$(comma)--pop-state,-lcrypt)
AUTHD_LIBS := -lpam

# The core decides and is pure; the shell acts. scripts/check-pure looks at the core's symbols.
ACCEL_SRC := src/ike/dh_openssl.c
CORE := src/addr.c src/text.c src/ini.c $(wildcard src/xfrm/msg*.c) src/auth/proto.c src/auth/throttle.c \
	src/auth/users.c src/auth/radius_msg.c src/ctl/metrics_http.c \
	$(filter-out $(if $(HAVE_LIBCRYPTO),,$(ACCEL_SRC)),$(wildcard src/ike/*.c)) \
	$(wildcard src/pool/*.c)
AUTHD := $(wildcard src/auth/authd*.c)
CTL := $(wildcard src/ctl/ctl*.c)
# What vpngw-metrics has of vpngwctl.
METRICS := src/ctl/metrics.c $(addprefix src/ctl/ctl_,metrics.c call.c text.c)
SHELL_SRC := $(filter-out $(CORE) src/main.c,$(wildcard src/*.c)) $(wildcard src/check/*.c) \
	$(filter-out $(CORE),$(wildcard src/xfrm/*.c)) src/auth/client.c \
	$(filter-out $(CORE) $(CTL) $(METRICS),$(wildcard src/ctl/*.c))
UNIT := $(patsubst tests/unit/%.c,$B/%,$(wildcard tests/unit/test_*.c))
UNIT_SHELL := $(patsubst tests/unit/%.c,$B/%,$(wildcard tests/unit/shell_*.c))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TESTLIB := $(wildcard tests/lib/*.c)
obj = $(patsubst %.c,$B/%.o,$(1))

all: $B/vpngw $B/vpngw-authd $B/vpngwctl $B/vpngw-metrics $B/io.vpngw.varlink

$B/vpngw: $(call obj,src/main.c) $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(SHELL_LIBS) $(CORE_LIBS)

$B/vpngw-authd: $(call obj,$(AUTHD)) $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(AUTHD_LIBS) $(SHELL_LIBS) $(CORE_LIBS)

$B/vpngwctl: $(call obj,$(CTL)) $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(SHELL_LIBS) $(CORE_LIBS)

$B/vpngw-metrics: $(call obj,$(METRICS)) $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(SHELL_LIBS) $(CORE_LIBS)

# The interface as the daemon publishes it.
$B/io.vpngw.varlink: $(call obj,src/ctl/server_idl.c)
	$(SAY) IDL $@
	$(Q)printf '%s\n' '#include <stdio.h>' 'extern const char ctl_interface_text[];' \
		'int main(void) { return fputs(ctl_interface_text, stdout) < 0; }' | \
		$(CC) $(CFLAGS) -fPIE $(LINK) $(LDFLAGS) -o $B/print-idl -x c - -x none $< && \
		$B/print-idl >$@

$B/libcore.a: $(call obj,$(CORE))
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/libshell.a: $(call obj,$(SHELL_SRC))
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/libtest.a: $(call obj,$(TESTLIB))
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# A unit test of the core links the core alone: a dependency on the shell is a link error.
$B/test_%: $B/tests/unit/test_%.o $B/libtest.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$B/shell_%: $B/tests/unit/shell_%.o $B/libtest.a $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(SHELL_LIBS) $(CORE_LIBS)

$B/replay_%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $B/libtest.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

$B/bench_%: $B/tests/bench/bench_%.o $B/libtest.a $B/libshell.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(SHELL_LIBS) $(CORE_LIBS)

# A client for scenarios of tests/e2e.
$B/dial: $B/tests/e2e/dial.o $B/libtest.a $B/libcore.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)

# The flags that a build was made with; another set of them rebuilds everything, but for -Werror,
# which changes no object.
FLAGS = $(CC) $(CPPFLAGS) $(CFLAGS) $(filter-out -Werror,$(OPTS))
$B/flags: force
	@mkdir -p $B; echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

$B/%.o: %.c $B/flags
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(OPTS) -c -o $@ $<

unit: all $(UNIT) $(UNIT_SHELL) $(FUZZ:%=$B/replay_%)
	$(Q)BUILD=$B scripts/run-unit $(UNIT) $(UNIT_SHELL)
	$(Q)BUILD=$B scripts/run-corpus $(FUZZ)

check: unit check-layers check-format check-docs check-journal

check-layers: $B/libcore.a
	$(Q)scripts/check-layers src
	$(Q)scripts/check-pure $(call obj,$(filter-out src/ike/crypto.c,$(CORE)))

check-format:
	$(Q)scripts/check-format

check-docs:
	$(Q)scripts/check-docs

check-journal:
	$(Q)scripts/check-journal

bench: all $B/bench_crypto $B/bench_login
	$(Q)$B/bench_crypto
	$(Q)tests/bench/run-login

fuzz: $(FUZZ:%=build/fuzz/%)
build/fuzz/%: tests/fuzz/fuzz_%.c $(CORE) $(TESTLIB)
	@mkdir -p build/fuzz
	clang -g -O1 -std=gnu17 $(CPPFLAGS) -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ \
		$< $(CORE) $(TESTLIB) $(CORE_LIBS)

lint:
	$(Q)for f in $(CORE); do \
		gcc $(CPPFLAGS) -O1 -std=gnu17 -fanalyzer -Werror -c -o /dev/null $$f || exit 1; done

install: all
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir)/vpngw \
		$(DESTDIR)$(unitdir) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(modulesloaddir) \
		$(DESTDIR)$(sysctldir) $(DESTDIR)$(sysconfdir)/vpngw $(DESTDIR)$(sysconfdir)/pam.d \
		$(DESTDIR)$(libdir)/vpngw/pam.d $(DESTDIR)$(docdir) \
		$(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(mandir)/man8 \
		$(DESTDIR)$(catalogdir) $(DESTDIR)$(sysconfdir)/fail2ban/filter.d \
		$(DESTDIR)$(datadir)/vpngw $(DESTDIR)$(datadir)/bash-completion/completions \
		$(DESTDIR)$(datadir)/zsh/site-functions
	install -d -m 0755 $(DESTDIR)$(sysconfdir)/vpngw/certs
	install -d -m 0700 $(DESTDIR)$(sysconfdir)/vpngw/private
	install -m 0755 $B/vpngw $(DESTDIR)$(sbindir)/vpngw
	install -m 0755 $B/vpngwctl $(DESTDIR)$(bindir)/vpngwctl
	install -m 0755 scripts/pki $(DESTDIR)$(sbindir)/vpngw-pki
	install -m 0755 scripts/racoon2vpngw $(DESTDIR)$(sbindir)/racoon2vpngw
	install -m 0755 $B/vpngw-authd $(DESTDIR)$(libexecdir)/vpngw/vpngw-authd
	install -m 0755 $B/vpngw-metrics $(DESTDIR)$(libexecdir)/vpngw/vpngw-metrics
	for u in systemd/*.service systemd/*.socket; do \
		sed -e 's|@sbindir@|$(sbindir)|g; s|@libexecdir@|$(libexecdir)|g; s|@sysconfdir@|$(sysconfdir)|g' \
			$$u > $(DESTDIR)$(unitdir)/$${u##*/} && chmod 0644 $(DESTDIR)$(unitdir)/$${u##*/} || exit 1; done
	sed -e 's|@sbindir@|$(sbindir)|g' systemd/vpngw-nft >$(DESTDIR)$(libexecdir)/vpngw/vpngw-nft
	sed -e 's|@bindir@|$(bindir)|g' systemd/vpngw-reload >$(DESTDIR)$(libexecdir)/vpngw/vpngw-reload
	chmod 0755 $(DESTDIR)$(libexecdir)/vpngw/vpngw-nft $(DESTDIR)$(libexecdir)/vpngw/vpngw-reload
	install -m 0644 systemd/vpngw.sysusers $(DESTDIR)$(sysusersdir)/vpngw.conf
	install -m 0644 systemd/vpngw.modules $(DESTDIR)$(modulesloaddir)/vpngw.conf
	install -m 0644 systemd/50-vpngw.sysctl $(DESTDIR)$(sysctldir)/50-vpngw.conf
	install -m 0644 etc/pam.d/vpngw-system $(DESTDIR)$(libdir)/vpngw/pam.d/vpngw-system
	test -e $(DESTDIR)$(sysconfdir)/pam.d/vpngw || \
		install -m 0644 etc/pam.d/vpngw $(DESTDIR)$(sysconfdir)/pam.d/vpngw
	test -e $(DESTDIR)$(sysconfdir)/vpngw/vpngw.conf || \
		install -m 0644 etc/vpngw/vpngw.conf $(DESTDIR)$(sysconfdir)/vpngw/vpngw.conf
	install -m 0644 systemd/vpngw.catalog $(DESTDIR)$(catalogdir)/vpngw.catalog
	install -m 0644 etc/fail2ban/filter.d/vpngw.conf $(DESTDIR)$(sysconfdir)/fail2ban/filter.d/vpngw.conf
	install -m 0644 $B/io.vpngw.varlink share/vpngwctl.schema.json $(DESTDIR)$(datadir)/vpngw
	install -m 0644 systemd/vpngw-authd-radius.conf $(DESTDIR)$(datadir)/vpngw
	install -m 0644 share/vpngw-dashboard.json share/vpngw-alerts.yml $(DESTDIR)$(datadir)/vpngw
	install -m 0644 share/completion.bash $(DESTDIR)$(datadir)/bash-completion/completions/vpngwctl
	install -m 0644 share/completion.zsh $(DESTDIR)$(datadir)/zsh/site-functions/_vpngwctl
	install -m 0644 man/*.7 $(DESTDIR)$(mandir)/man7
	install -m 0644 man/*.8 $(DESTDIR)$(mandir)/man8
	install -m 0644 man/*.5 $(DESTDIR)$(mandir)/man5
	install -m 0644 README.md SECURITY.md etc/vpngw/vpngw.conf $(DESTDIR)$(docdir)

# Leaves the configuration, as package managers do.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/vpngw $(DESTDIR)$(bindir)/vpngwctl $(DESTDIR)$(sbindir)/vpngw-pki \
		$(DESTDIR)$(sbindir)/racoon2vpngw $(DESTDIR)$(sysusersdir)/vpngw.conf $(DESTDIR)$(modulesloaddir)/vpngw.conf \
		$(DESTDIR)$(sysctldir)/50-vpngw.conf $(DESTDIR)$(catalogdir)/vpngw.catalog
	for u in systemd/*.service systemd/*.socket; do rm -f $(DESTDIR)$(unitdir)/$${u##*/}; done
	for m in man/*.5; do rm -f $(DESTDIR)$(mandir)/man5/$${m##*/}; done
	for m in man/*.7; do rm -f $(DESTDIR)$(mandir)/man7/$${m##*/}; done
	for m in man/*.8; do rm -f $(DESTDIR)$(mandir)/man8/$${m##*/}; done
	rm -f $(DESTDIR)$(datadir)/bash-completion/completions/vpngwctl \
		$(DESTDIR)$(datadir)/zsh/site-functions/_vpngwctl
	rm -rf $(DESTDIR)$(datadir)/vpngw $(DESTDIR)$(libexecdir)/vpngw $(DESTDIR)$(libdir)/vpngw $(DESTDIR)$(docdir)

clean:
	rm -rf build

.PHONY: all unit check check-layers check-format check-docs check-journal bench fuzz lint install uninstall \
	clean force
.SECONDARY:
-include $(shell find build -type f -name '*.d' 2>/dev/null)
