/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * authd_file.c - auth_source = file: passwords against the users file.
 *
 * The file is read again when it has changed. A file with a mistake lets nobody in, since the line
 * that is wrong may be the one that was meant to lock somebody out.
 *
 * An unknown user costs one hash like a known one: the hash of somebody else in the file.
 */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "auth/authd_source.h"
#include "auth/users.h"
#include "cleanup.h"

struct authd_file {
	const char *path; /* borrowed */
	struct stat st;   /* of what was read */
	char *text;       /* owned; borrowed by users */
	size_t n;
	struct users *users;        /* owned; NULL until the file has been read */
	char dummy[USERS_HASH_MAX]; /* any hash, for users that are not there */
	struct crypt_data crypt;    /* 32 KiB */
};

int authd_file_new(const char *path, struct authd_file **ret)
{
	struct authd_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->path = path;
	*ret = f;
	return 0;
}

static void forget(struct authd_file *f)
{
	f->users = users_free(f->users);
	if (f->text)
		explicit_bzero(f->text, f->n);
	free(f->text);
	f->text = NULL;
	f->n = 0;
}

struct authd_file *authd_file_free(struct authd_file *f)
{
	if (f)
		forget(f);
	free(f);
	return NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Fills f->text with all of fd. */
static int read_all(struct authd_file *f, int fd, size_t expect)
{
	size_t cap = expect + 1;

	f->text = malloc(cap);
	if (!f->text)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, f->text + f->n, cap - f->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		f->n += (size_t)n;
		if (f->n == cap) /* it grew meanwhile: the next check reads it again */
			return -EAGAIN;
	}
}

/* The first hash that can be computed, or a new one of the system's preferred method. */
static void choose_dummy(struct authd_file *f)
{
	const struct users_entry *e;
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made;

	for (size_t i = 0; (e = users_at(f->users, i)); i++) {
		struct span h = users_crypt_hash(e);

		if (h.n && h.n < sizeof(f->dummy)) {
			memcpy(f->dummy, h.p, h.n);
			f->dummy[h.n] = '\0';
			return;
		}
	}
	made = crypt_gensalt_rn(NULL, 0, NULL, 0, salt, sizeof(salt));
	snprintf(f->dummy, sizeof(f->dummy), "%s", made ? made : "$6$vpngw.dummy");
}

/* 0, or -errno with a sentence in `why`. */
static int refresh(struct authd_file *f, char *why, size_t cap)
{
	_cleanup_close_ int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct users_error err;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = -errno;
		forget(f);
		snprintf(why, cap, "cannot read %s: %s; %s", f->path, strerror(-rc),
			 rc == -ENOENT ? "vpngwctl passwd USER makes it"
				       : "it needs group vpngw-auth, mode 0640");
		return rc;
	}
	if (f->users && same_file(&st, &f->st))
		return 0;
	forget(f);
	if (!S_ISREG(st.st_mode) || st.st_size > USERS_FILE_MAX) {
		snprintf(why, cap, "%s is not a file of at most %u MiB", f->path,
			 USERS_FILE_MAX >> 20);
		return -EINVAL;
	}
	f->st = st;
	rc = read_all(f, fd, (size_t)st.st_size);
	if (rc < 0) {
		snprintf(why, cap, "cannot read %s: %s", f->path, strerror(-rc));
		return rc;
	}
	rc = users_parse((struct span){ (const uint8_t *)f->text, f->n }, &f->users, &err);
	if (rc == -EINVAL)
		snprintf(why, cap, "%s:%u:%u: %s", f->path, err.line, err.column, err.what);
	else if (rc < 0)
		snprintf(why, cap, "cannot read %s: %s", f->path, strerror(-rc));
	if (rc < 0)
		return rc;
	choose_dummy(f);
	return 0;
}

enum match {
	MATCH,
	DIFFERENT,
	UNSUPPORTED,
};

static enum match check_hash(struct authd_file *f, struct span password, const char *hash)
{
	char phrase[LIMIT_PASSWORD + 1];
	enum match m = DIFFERENT;
	const char *out;

	memcpy(phrase, password.p, password.n);
	phrase[password.n] = '\0';
	out = crypt_r(phrase, hash, &f->crypt);
	if (!out || out[0] == '*')
		m = UNSUPPORTED;
	else if (span_eq_secret(span_str(out), span_str(hash)))
		m = MATCH;
	explicit_bzero(phrase, sizeof(phrase));
	explicit_bzero(&f->crypt, sizeof(f->crypt));
	return m;
}

static void let_in(const struct conf_auth *conf, const struct users_entry *e, struct auth_reply *r)
{
	struct span groups = e->groups, g;
	char ip[ENDPOINT_STRLEN];

	authd_say(r, AUTH_OK, "%s", "");
	while (users_group_next(&groups, &g))
		authd_add_group(conf, r, g);
	if (e->address.family != IP_NONE)
		snprintf(r->address, sizeof(r->address), "%.60s", ipaddr_str(&e->address, ip));
}

void authd_file_check(struct authd_file *f, const struct conf_auth *conf,
		      const struct auth_request *q, struct auth_reply *r)
{
	const struct users_entry *e;
	struct span h = { 0 };
	char hash[USERS_HASH_MAX + 1], why[sizeof(r->reason)];

	if (refresh(f, why, sizeof(why)) < 0) {
		authd_say(r, AUTH_ERROR, "%s", why);
		return;
	}
	e = users_find(f->users, q->user);
	if (e)
		h = users_crypt_hash(e);
	if (!h.n) {
		(void)check_hash(f, q->password, f->dummy);
		authd_say(r, e ? AUTH_NOT_ALLOWED : AUTH_DENIED, "%s",
			  e ? "the user is locked" : "no such user");
		return;
	}
	memcpy(hash, h.p, h.n);
	hash[h.n] = '\0';
	switch (check_hash(f, q->password, hash)) {
	case MATCH:
		if (users_locked(e))
			authd_say(r, AUTH_NOT_ALLOWED, "the user is locked");
		else
			let_in(conf, e, r);
		break;
	case DIFFERENT:
		authd_say(r, AUTH_DENIED, "wrong password");
		break;
	case UNSUPPORTED:
		authd_say(r, AUTH_ERROR, "%s:%u: libcrypt cannot check this hash; make a new one",
			  f->path, e->line);
		break;
	}
	explicit_bzero(hash, sizeof(hash));
}

int authd_file_probe(const char *path, char *why, size_t cap)
{
	struct authd_file *f;
	int rc;

	if (authd_file_new(path, &f) < 0)
		return -ENOMEM;
	rc = refresh(f, why, cap);
	if (rc == 0 && (f->st.st_mode & (S_IWGRP | S_IRWXO))) {
		snprintf(why, cap, "%s has mode %04o and holds password hashes; chmod 0640 it",
			 path, f->st.st_mode & 07777u);
		rc = 1;
	}
	authd_file_free(f);
	return rc;
}
