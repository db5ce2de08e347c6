/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ports.c - whether another IKE daemon has the ports that the gateway needs.
 *
 * The kernel lists the sockets of this network namespace with their inodes (proc(5), net/udp), and
 * among the descriptors of each process is who has them. systemd holds the gateway's, through
 * vpngw.socket, also while no gateway runs.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cleanup.h"
#include "text.h"

#define SOCKETS_MAX 64

struct holder {
	struct endpoint at;
	unsigned long inode;
	pid_t pid; /* 0: nobody that can be seen */
	char comm[80];
	bool ours;
};

struct holders {
	struct holder h[SOCKETS_MAX];
	unsigned n;
};

/* ---- sockets ---- */

static bool is_wild(const struct ipaddr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, sizeof(zero)) == 0;
}

/* Both cannot be bound: the same port, and the same address or one that means all. */
static bool collide(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->addr.family == b->addr.family &&
	       (is_wild(&a->addr) || is_wild(&b->addr) || ipaddr_eq(&a->addr, &b->addr));
}

static bool is_wanted(const struct config *c, const struct endpoint *e)
{
	struct endpoint any = { .addr = e->addr };

	if (!c) {
		any.port = e->port == 4500 ? 4500 : 500;
		return collide(&any, e);
	}
	for (unsigned i = 0; i < c->listen.n_isakmp; i++)
		if (collide(&c->listen.isakmp[i], e))
			return true;
	for (unsigned i = 0; i < c->listen.n_isakmp_natt; i++)
		if (collide(&c->listen.isakmp_natt[i], e))
			return true;
	return false;
}

/* "0100007F": words of four bytes, each as this machine has it in memory. */
static bool parse_local(const char *hex, unsigned port, struct endpoint *ret)
{
	size_t words = strlen(hex) / 8;
	uint8_t b[16];

	if (words != 1 && words != 4)
		return false;
	for (size_t i = 0; i < words; i++) {
		char word[9] = { 0 };
		uint32_t v;

		memcpy(word, hex + 8 * i, 8);
		v = (uint32_t)strtoul(word, NULL, 16);
		memcpy(b + 4 * i, &v, 4);
	}
	*ret = (struct endpoint){ .port = (uint16_t)port };
	/* Not ipaddr_from_bytes(): it would make an IPv4 address of a mapped one. */
	ret->addr.family = words == 1 ? IP_V4 : IP_V6;
	memcpy(ret->addr.b, b, 4 * words);
	return true;
}

static int read_sockets(const char *path, const struct config *c, struct holders *all)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char line[512], hex[40];

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in)) {
		struct endpoint at;
		unsigned port;
		unsigned long inode;

		/* sl local remote st tx:rx tr:tm retransmits uid timeout inode */
		if (sscanf(line, " %*[0-9]: %39[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu", hex,
			   &port, &inode) != 3)
			continue;
		if (all->n < SOCKETS_MAX && parse_local(hex, port, &at) && is_wanted(c, &at))
			all->h[all->n++] = (struct holder){ .at = at, .inode = inode };
	}
	return 0;
}

/* ---- whose they are ---- */

static void take_owner(struct holder *h, pid_t pid)
{
	char path[64], comm[32], shown[sizeof(h->comm)];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (check_read(path, comm, sizeof(comm)) < 0)
		return;
	comm[strcspn(comm, "\n")] = '\0';
	text_escape(span_str(comm), shown, sizeof(shown));
	if (strcmp(comm, "vpngw") == 0)
		h->ours = true;
	/* What systemd has handed over belongs to who got it. */
	if (h->pid > 1)
		return;
	h->pid = pid;
	memcpy(h->comm, shown, sizeof(shown));
}

static void look_at_descriptor(struct holders *all, pid_t pid, const char *target)
{
	unsigned long inode;

	if (sscanf(target, "socket:[%lu]", &inode) != 1)
		return;
	for (unsigned i = 0; i < all->n; i++)
		if (all->h[i].inode == inode)
			take_owner(&all->h[i], pid);
}

static void look_at_process(struct holders *all, pid_t pid)
{
	char path[64], target[64];
	const struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			look_at_descriptor(all, pid, target);
		}
	}
	if (dir)
		closedir(dir);
}

static void find_owners(struct holders *all)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (all->n && proc && (e = readdir(proc))) {
		char *end;
		unsigned long pid = strtoul(e->d_name, &end, 10);

		if (pid && !*end)
			look_at_process(all, (pid_t)pid);
	}
	if (proc)
		closedir(proc);
}

/* ---- what to say ---- */

/* "500", or "500 and 4500" of a process that has both; each port once. */
static void list_ports(const struct holders *all, unsigned first, char *buf, size_t cap)
{
	uint16_t seen[SOCKETS_MAX];
	unsigned n = 0;
	size_t len = 0;

	*buf = '\0';
	for (unsigned i = first; i < all->n; i++) {
		uint16_t port = all->h[i].at.port;
		bool again = all->h[i].pid != all->h[first].pid;

		for (unsigned k = 0; k < n && !again; k++)
			again = seen[k] == port;
		if (again || len >= cap)
			continue;
		seen[n++] = port;
		len += (size_t)snprintf(buf + len, cap - len, "%s%u", n > 1 ? " and " : "", port);
	}
}

static void tell(const struct holders *all, unsigned i, struct findings *f)
{
	const struct holder *h = &all->h[i];
	char ports[128];

	list_ports(all, i, ports, sizeof(ports));
	if (h->pid) {
		findings_add(f, FINDING_ERROR, "%s (process %d) holds UDP port %s", h->comm, h->pid,
			     ports);
		findings_remedy(f,
				"stop it and keep it from starting again; systemctl status %d "
				"names its unit",
				h->pid);
	} else if (geteuid() == 0) {
		findings_add(f, FINDING_ERROR,
			     "a process that cannot be seen from here holds UDP port %s", ports);
		findings_remedy(f, "look for another IKE daemon in the containers of this host");
	} else {
		findings_add(f, FINDING_UNKNOWN, "UDP port %s is taken; by whom only root can see",
			     ports);
	}
}

void check_ports(const struct config *config, struct findings *f)
{
	struct holders all = { .n = 0 };
	bool told = false;
	int rc;

	findings_check(f, "ports");
	rc = read_sockets("/proc/net/udp", config, &all);
	if (rc < 0) {
		findings_add(f, FINDING_UNKNOWN, "/proc/net/udp: %s", strerror(-rc));
		return;
	}
	(void)read_sockets("/proc/net/udp6", config, &all); /* none without IPv6 */
	find_owners(&all);
	for (unsigned i = 0; i < all.n; i++)
		if (all.h[i].pid == 1)
			all.h[i].ours |= check_unit_is_active("vpngw.socket");
	for (unsigned i = 0; i < all.n; i++) {
		told = all.h[i].ours;
		for (unsigned k = 0; k < i && !told; k++)
			told = all.h[k].pid == all.h[i].pid && !all.h[k].ours;
		if (!told)
			tell(&all, i, f);
	}
}
