/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keep.c - the memory behind keeplog.c, and how systemd comes to hold it. */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "cleanup.h"
#include "log.h"

#define NAME_START "vpngw-sessions-"
#define NAME_LEN   64
#define SIZE_START (256 * 1024)
#define EARLIER    8
#define SEALS      (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct earlier {
	int fd;
	char name[NAME_LEN];
};

/* One piece of memory. */
struct piece {
	uint8_t *mem; /* owned; NULL: none */
	size_t size;
	int fd; /* owned */
	uint64_t generation;
	struct keeplog log;
};

struct keep {
	uint32_t version;
	struct earlier earlier[EARLIER];
	unsigned n_earlier;
	struct piece now;
	bool handed_over;
	uint64_t generation; /* the highest that a name had */
};

bool keep_is_ours(const char *name)
{
	return strncmp(name, NAME_START, strlen(NAME_START)) == 0;
}

/* ---- pieces of memory ---- */

static void piece_free(struct piece *p)
{
	if (p->mem) {
		munmap(p->mem, p->size);
		close(p->fd);
	}
	keeplog_clear(&p->log);
	*p = (struct piece){ .fd = -1 };
}

/* Locked page by page as they come into use, or with a line in the log not at all. */
static void lock_pages(void *mem, size_t size)
{
	static bool said;

	madvise(mem, size, MADV_DONTDUMP);
	if (mlock2(mem, size, MLOCK_ONFAULT) < 0 && !said) {
		said = true;
		log_warning("the keys of sessions cannot be locked in memory (%s): swap may see "
			    "them; see LimitMEMLOCK= of vpngw.service",
			    strerror(errno));
	}
}

static int piece_new(size_t size, uint32_t version, uint64_t generation, struct piece *ret)
{
	_cleanup_close_ int fd = memfd_create("vpngw-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *mem;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return -errno;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_FUTURE_WRITE) < 0) {
		int rc = -errno;

		munmap(mem, size);
		return rc;
	}
	lock_pages(mem, size);
	*ret = (struct piece){ .mem = mem, .size = size, .generation = generation };
	ret->fd = TAKE_FD(fd);
	keeplog_init(&ret->log, mem, size, version, generation);
	return 0;
}

/* ---- those of earlier processes ---- */

int keep_new(uint32_t version, struct keep **ret)
{
	struct keep *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->version = version;
	k->now.fd = -1;
	*ret = k;
	return 0;
}

struct keep *keep_free(struct keep *k)
{
	if (!k)
		return NULL;
	for (unsigned i = 0; i < k->n_earlier; i++)
		close(k->earlier[i].fd);
	piece_free(&k->now);
	free(k);
	return NULL;
}

static void give_up(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void keep_take(struct keep *k, int fd, const char *name)
{
	struct earlier *e = &k->earlier[k->n_earlier];
	uint64_t generation = strtoull(name + strlen(NAME_START), NULL, 10);

	if (k->n_earlier == EARLIER) {
		give_up(name);
		close(fd);
		return;
	}
	e->fd = fd;
	snprintf(e->name, sizeof(e->name), "%s", name);
	if (generation > k->generation && generation < UINT64_MAX / 2)
		k->generation = generation;
	k->n_earlier++;
}

bool keep_has_earlier(const struct keep *k)
{
	return k->n_earlier;
}

static void give_up_earlier(struct keep *k)
{
	for (unsigned i = 0; i < k->n_earlier; i++) {
		give_up(k->earlier[i].name);
		close(k->earlier[i].fd);
	}
	k->n_earlier = 0;
}

/* Its size cannot change any more, or reading it could kill us. */
static int map_earlier(int fd, struct span *ret)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *mem;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
	    st.st_size < KEEPLOG_HEAD || st.st_size > KEEPLOG_MAX)
		return -EBADMSG;
	mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	lock_pages(mem, (size_t)st.st_size);
	*ret = (struct span){ mem, (size_t)st.st_size };
	return 0;
}

static void unmap(struct span mem)
{
	union {
		const uint8_t *p;
		void *mapped;
	} u = { mem.p };

	if (mem.p)
		munmap(u.mapped, mem.n);
}

/* The youngest that was finished; one that was not has an older one beside it. Where one is damaged
 * nobody knows how young it was, and none is believed. */
int keep_read(struct keep *k, keeplog_fn fn, void *ctx)
{
	struct span best = { 0 }, mem = { 0 };
	uint64_t best_generation = 0, generation = 0;
	int rc = 0;

	for (unsigned i = 0; i < k->n_earlier && (rc == 0 || rc == -ENODATA); i++) {
		rc = map_earlier(k->earlier[i].fd, &mem);
		if (rc < 0)
			break;
		rc = keeplog_look(mem, k->version, &generation);
		if (rc == 0 && generation >= best_generation) {
			unmap(best);
			best = mem;
			best_generation = generation;
		} else {
			unmap(mem);
		}
	}
	if (rc == 0 || rc == -ENODATA)
		rc = best.p ? keeplog_read(best, k->version, fn, ctx) : -ENOENT;
	unmap(best);
	return rc;
}

/* ---- this one's ---- */

static void name_of(uint64_t generation, char out[static NAME_LEN])
{
	snprintf(out, NAME_LEN, NAME_START "%" PRIu64, generation);
}

int keep_start(struct keep *k)
{
	return piece_new(SIZE_START, k->version, ++k->generation, &k->now);
}

/* 0: with systemd; -ENOTCONN: there is none. */
static int hand_over(struct piece *p)
{
	char name[NAME_LEN], text[NAME_LEN + 32];
	int rc;

	name_of(p->generation, name);
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	keeplog_open(&p->log);
	rc = sd_pid_notify_with_fds(0, 0, text, &p->fd, 1);
	return rc < 0 ? rc : rc == 0 ? -ENOTCONN : 0;
}

int keep_hand_over(struct keep *k)
{
	int rc = k->now.mem ? hand_over(&k->now) : -ENOTCONN;

	if (rc == 0) {
		k->handed_over = true;
		give_up_earlier(k);
	}
	return rc;
}

static int copy_records(struct keeplog *to, const struct keeplog *from)
{
	int rc = 0;

	for (uint32_t i = 0; i < from->n_places && rc == 0; i++) {
		struct span data = keeplog_get(from, i);

		if (data.n)
			rc = keeplog_put(to, i, data);
	}
	return rc;
}

/* Moves to a piece of memory that has twice the room. */
static int grow(struct keep *k, size_t at_least)
{
	size_t size = k->now.size * 2;
	char name[NAME_LEN];
	struct piece big;
	int rc;

	while (size / 4 < at_least && size < KEEPLOG_MAX)
		size *= 2;
	rc = size > KEEPLOG_MAX ? -ENOSPC : piece_new(size, k->version, k->generation + 1, &big);
	if (rc < 0)
		return rc;
	rc = copy_records(&big.log, &k->now.log);
	if (rc == 0 && k->handed_over)
		rc = hand_over(&big);
	if (rc < 0) {
		piece_free(&big);
		return rc;
	}
	name_of(k->now.generation, name);
	if (k->handed_over)
		give_up(name);
	piece_free(&k->now);
	k->now = big;
	k->generation++;
	return 0;
}

int keep_put(struct keep *k, uint32_t number, struct span data)
{
	int rc;

	if (!k->now.mem)
		return 0;
	if (keeplog_crowded(&k->now.log))
		grow(k, 0); /* if not now, then next time */
	rc = keeplog_put(&k->now.log, number, data);
	if (rc == -ENOSPC)
		rc = grow(k, data.n);
	else
		return rc;
	return rc < 0 ? rc : keeplog_put(&k->now.log, number, data);
}

int keep_del(struct keep *k, uint32_t number)
{
	int rc = k->now.mem ? keeplog_del(&k->now.log, number) : 0;

	if (rc == -ENOSPC && grow(k, 0) == 0)
		rc = keeplog_del(&k->now.log, number);
	return rc;
}

bool keep_is_with_systemd(const struct keep *k)
{
	return k->handed_over;
}

void keep_forget(struct keep *k)
{
	char name[NAME_LEN];

	give_up_earlier(k);
	if (!k->now.mem)
		return;
	name_of(k->now.generation, name);
	give_up(name);
	explicit_bzero(k->now.mem, k->now.size);
	piece_free(&k->now);
	k->handed_over = false;
}
