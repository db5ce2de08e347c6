/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_leasedb.c - the lease file: what is saved is there again, whatever happens to the disk,
 * the file and the daemon; and the caller never waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "leasedb.h"
#include "leasequeue.h"
#include "tap.h"

static char dir[64], path[96], why[LEASEDB_WHY];

#ifndef __SANITIZE_ADDRESS__ /* which has it for itself */
void *__libc_calloc(size_t n, size_t size);

static bool no_memory;

void *calloc(size_t n, size_t size)
{
	return no_memory ? NULL : __libc_calloc(n, size);
}
#endif

/* ---- what was loaded, as text ---- */

static char loaded[8 << 20];
static size_t loaded_len;
static unsigned n_loaded;

static int remember(void *ctx, const struct leasedb_row *row)
{
	char ip[ENDPOINT_STRLEN];

	(void)ctx;
	n_loaded++;
	loaded_len +=
		(size_t)snprintf(loaded + loaded_len, sizeof(loaded) - loaded_len,
				 "%s %s %s %llu %llu%s\n", ipaddr_str(&row->addr, ip), row->pool,
				 row->user, (unsigned long long)row->granted_s,
				 (unsigned long long)row->released_s, row->pinned ? " pinned" : "");
	return 0;
}

static struct leasedb *open_db(bool start)
{
	struct leasedb *db = NULL;
	int r = leasedb_open(path, &db, why);

	if (r == 0 && start)
		r = leasedb_start(db);
	if (r < 0) {
		printf("# %s: %s (%s)\n", path, why, strerror(-r));
		abort();
	}
	return db;
}

static const char *load(void)
{
	struct leasedb *db = open_db(false);

	loaded[loaded_len = 0] = '\0';
	n_loaded = 0;
	if (leasedb_load(db, remember, NULL) < 0)
		snprintf(loaded, sizeof(loaded), "(error)");
	leasedb_close(db);
	return loaded;
}

static void save(struct leasedb *db, uint32_t addr, const char *user, uint64_t granted,
		 uint64_t released)
{
	struct leasedb_row row = { ipaddr_v4(addr), "default", user, granted, released, false };

	leasedb_save(db, &row);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Polls until the thread has written that many in all, or does or does not fail. */
static bool wait_written(struct leasedb *db, uint64_t written, bool failing)
{
	struct leasedb_health h;

	for (unsigned i = 0; i < 1000; i++) {
		leasedb_health(db, &h);
		if (failing ? h.failing : h.written >= written && !h.failing)
			return true;
		usleep(10000);
	}
	printf("# written %llu, errors %llu, lost %llu, queued %u: %s\n",
	       (unsigned long long)h.written, (unsigned long long)h.errors,
	       (unsigned long long)h.lost, h.queued, h.last_error);
	return false;
}

static void remove_db(void)
{
	char name[128];

	for (const char *const *s = (const char *const[]){ "", "-wal", "-shm", NULL }; *s; s++) {
		snprintf(name, sizeof(name), "%s%s", path, *s);
		unlink(name);
		snprintf(name, sizeof(name), "%s.damaged%s", path, *s);
		unlink(name);
	}
}

static void write_file(const void *data, size_t n)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
}

static void sql(const char *text)
{
	sqlite3 *s;

	if (sqlite3_open(path, &s) != SQLITE_OK || sqlite3_exec(s, text, NULL, NULL, NULL))
		printf("# %s: %s\n", text, sqlite3_errmsg(s));
	sqlite3_close(s);
}

/* ---- tests ---- */

static void test_round_trip(void)
{
	struct leasedb *db;
	struct stat st;

	remove_db();
	is_str(load(), "", "a new file has no rows");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "and is its owner's alone");
	db = open_db(true);
	save(db, 0x0a636301, "alice", 100, 0);
	save(db, 0x0a636302, "bob", 101, 300);
	save(db, 0x0a636303, "carol", 102, 200);
	save(db, 0x0a636304, "dave", 103, 250);
	leasedb_forget(db, &(struct ipaddr){ IP_V4, { 10, 99, 99, 4 } });
	ok(leasedb_close(db) == NULL, "closing writes what is queued");
	is_str(load(),
	       "10.99.99.3 default carol 102 200\n10.99.99.2 default bob 101 300\n"
	       "10.99.99.1 default alice 100 0\n",
	       "rows come back by release, leased ones last");
	db = open_db(true);
	save(db, 0x0a636301, "alice", 100, 400);
	save(db, 0x0a636302, "eve", 401, 0);
	leasedb_close(db);
	is_str(load(),
	       "10.99.99.3 default carol 102 200\n10.99.99.1 default alice 100 400\n"
	       "10.99.99.2 default eve 401 0\n",
	       "an address has one row");
	ok(leasedb_close(NULL) == NULL, "closing none is fine");
}

/* Pins, and a file of the format that knew none. */
static void test_pins(void)
{
	struct leasedb_row row = { ipaddr_v4(1), "default", "alice", 10, 20, true };
	struct leasedb *db;

	remove_db();
	db = open_db(true);
	leasedb_save(db, &row);
	save(db, 2, "bob", 30, 40);
	leasedb_close(db);
	is_str(load(), "0.0.0.1 default alice 10 20 pinned\n0.0.0.2 default bob 30 40\n",
	       "a pin is written and read");
	sql("ALTER TABLE lease DROP COLUMN pinned; PRAGMA user_version = 1");
	is_str(load(), "0.0.0.1 default alice 10 20\n0.0.0.2 default bob 30 40\n",
	       "a file of before there were pins is read");
	db = open_db(true);
	leasedb_save(db, &row);
	leasedb_close(db);
	is_str(load(), "0.0.0.1 default alice 10 20 pinned\n0.0.0.2 default bob 30 40\n",
	       "and can have them from then on");
}

static int refuse(void *ctx, const struct leasedb_row *row)
{
	(void)ctx, (void)row;
	return -ECANCELED;
}

static void test_names(void)
{
	char longest[LIMIT_USER + 2];
	struct leasedb_health h;
	struct leasedb *db;

	remove_db();
	memset(longest, 'x', sizeof(longest));
	longest[LIMIT_USER] = '\0';
	db = open_db(true);
	save(db, 1, "o'brien\"; DROP TABLE lease; --", 1, 1);
	save(db, 2, "j\xc3\xbcrgen\nx", 1, 2);
	save(db, 3, longest, 1, 3);
	longest[LIMIT_USER] = 'x';
	longest[LIMIT_USER + 1] = '\0';
	save(db, 4, longest, 1, 4);
	leasedb_health(db, &h);
	is_int((long long)h.lost, 1, "a name that is too long is not cut but counted");
	leasedb_close(db);
	load();
	is_int(n_loaded, 3, "other names are kept");
	ok(strstr(loaded, " o'brien\"; DROP TABLE lease; -- 1 1\n") &&
		   strstr(loaded, " j\xc3\xbcrgen\nx 1 2\n"),
	   "as they are");
	sql("INSERT INTO lease (address, pool, user, granted_s, released_s) VALUES "
	    "('nonsense','p','u',1,5),('10.0.0.9','','u',1,6),"
	    "('10.0.0.10','p',x'610062',1,7),('10.0.0.11','p','u',-1,8),('10.0.0.12',x'80','u',1,"
	    "9)");
	load();
	is_int(n_loaded, 4, "rows that make no sense are left out");
	db = open_db(false);
	is_int(leasedb_load(db, refuse, NULL), -ECANCELED, "the callback can stop a load");
	leasedb_close(db);
}

static void test_pace(void)
{
	struct leasedb_health h;
	struct leasedb *db;
	double t, worst = 0;

	remove_db();
	db = open_db(true);
	t = seconds();
	save(db, 1, "alice", 1, 0);
	ok(wait_written(db, 1, false), "one record is written by itself");
	printf("# after %.0f ms\n", (seconds() - t) * 1e3);
	t = seconds();
	for (uint32_t i = 0; i < 20000; i++) {
		double t0 = seconds(), d;

		save(db, i, "user", i, 0);
		d = seconds() - t0;
		worst = d > worst ? d : worst;
		if (i % 64 == 63)
			usleep(2000); /* a busy gateway, not a flood */
	}
	ok(wait_written(db, 20001, false), "20,000 records are written");
	leasedb_health(db, &h);
	is_int((long long)h.lost, 0, "none is lost");
	printf("# %.0f records/s; the slowest call took %.0f us\n", 20000 / (seconds() - t),
	       worst * 1e6);
	leasedb_close(db);
	t = seconds();
	load();
	printf("# %u rows opened, checked and loaded in %.0f ms\n", n_loaded,
	       (seconds() - t) * 1e3);
	is_int(n_loaded, 20000, "all of them can be read");
}

static void test_refused(void)
{
	struct leasedb *db = NULL;
	char fifo[128];

	remove_db();
	load();
	sql("PRAGMA user_version = 3");
	is_int(leasedb_open(path, &db, why), -EPROTONOSUPPORT, "a newer format is refused");
	ok(strstr(why, "newer version") && strstr(why, "format is 3"), "with a clear word: %s",
	   why);
	sql("PRAGMA user_version = 2");
	is_int(leasedb_open(path, &db, why), 0, "the right one is not");
	leasedb_close(db);
	remove_db();
	sql("CREATE TABLE recipes (name TEXT)");
	is_int(leasedb_open(path, &db, why), -EEXIST, "another program's file is refused");
	printf("# %s\n", why);
	remove_db();

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	mkfifo(fifo, 0600);
	is_int(leasedb_open(fifo, &db, why), -EINVAL, "a pipe is refused");
	unlink(fifo);
	is_int(leasedb_open(dir, &db, why), -EINVAL, "a directory is refused");
	is_int(leasedb_open("/nonexistent/leases.db", &db, why), -ENOENT, "so is nowhere");
	is_int(leasedb_open("", &db, why), -ENOENT, "and no name at all");
	printf("# %s\n", why);
}

/* An explanation goes with every error. */
static void test_no_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip(2, "the address sanitizer has calloc() for itself");
#else
	struct leasedb *db = NULL;
	int r;

	remove_db();
	strcpy(why, "something else");
	no_memory = true;
	r = leasedb_open(path, &db, why);
	no_memory = false;
	is_int(r, -ENOMEM, "without memory it is not opened");
	is_str(why, "out of memory", "and says so");
#endif
}

static void test_damaged(void)
{
	static uint8_t whole[1 << 20];
	unsigned opened = 0, refused = 0, foreign, other = 0;
	struct leasedb *db = NULL;
	ssize_t n;
	int fd;

	remove_db();
	write_file("this is no database, whatever it is called", 42);
	is_int(leasedb_open(path, &db, why), -EBADMSG, "garbage is refused");
	is_int(leasedb_set_aside(path), 0, "and can be set aside");
	is_str(load(), "", "for a new file");
	db = open_db(true);
	for (uint32_t i = 0; i < 500; i++)
		save(db, i, "user-with-a-name", i, i);
	leasedb_close(db);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, whole, sizeof(whole));
	close(fd);
	for (ssize_t cut = 0; cut <= n; cut += cut < 128 ? 1 : 997) {
		int r;

		remove_db();
		write_file(whole, (size_t)cut);
		r = leasedb_open(path, &db, why);
		if (r == 0) {
			leasedb_load(db, remember, NULL);
			leasedb_close(db);
			opened++;
		} else {
			*(r == -EBADMSG ? &refused : &other) += 1;
		}
	}
	ok(refused > 100 && other == 0, "cut anywhere: %u refused as damaged, %u opened", refused,
	   opened);
	srand(1);
	opened = refused = foreign = other = 0;
	for (unsigned i = 0; i < 300; i++) {
		static uint8_t bent[sizeof(whole)];
		int r;

		memcpy(bent, whole, (size_t)n);
		for (unsigned k = 0; k < 8; k++)
			bent[rand() % (i % 2 ? 100 : n)] ^= (uint8_t)(1 << rand() % 8);
		remove_db();
		write_file(bent, (size_t)n);
		loaded[loaded_len = 0] = '\0';
		r = leasedb_open(path, &db, why);
		if (r == 0) {
			leasedb_load(db, remember, NULL);
			leasedb_start(db);
			save(db, 7, "alice", 1, 1);
			leasedb_close(db);
			opened++;
		} else {
			/* The bits that say whose it is, and of which format, are among them. */
			*(r == -EBADMSG                           ? &refused
			  : r == -EEXIST || r == -EPROTONOSUPPORT ? &foreign
								  : &other) += 1;
		}
	}
	ok(other == 0 && refused > 100,
	   "bits flipped: %u refused as damaged, %u as another's, %u opened", refused, foreign,
	   opened);
}

/* The disk fails while a limit on the size of files holds. */
static void limit_files(rlim_t bytes)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	setrlimit(RLIMIT_FSIZE, &l);
}

static void test_disk_full(void)
{
	struct leasedb_health h;
	struct leasedb *db;
	uint64_t sent = 0;
	uint32_t queued;
	double t;

	remove_db();
	signal(SIGXFSZ, SIG_IGN);
	db = open_db(true);
	limit_files(128 << 10);
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 64; i++)
			save(db, (uint32_t)sent++, "somebody", 1, 0);
		usleep(10000);
		leasedb_health(db, &h);
		if (h.failing)
			break;
	}
	ok(wait_written(db, 0, true), "a full disk is noticed");
	leasedb_health(db, &h);
	ok(h.errors > 0 && h.last_error[0], "and described: %s", h.last_error);
	t = seconds();
	for (unsigned i = 0; i < 20000; i++)
		save(db, 0x0b000000 + i % 16, "often", i, 0);
	leasedb_health(db, &h);
	ok(h.lost == 0 && h.queued < 20000, "an address waits once (%u records)", h.queued);
	printf("# %.2f us for a call\n", (seconds() - t) / 20000 * 1e6);
	t = seconds();
	for (uint32_t i = 0; i < LEASEDB_QUEUE + 100; i++)
		save(db, 0x0c000000 + i, "new", 1, 0);
	printf("# %.2f us for a call with a full queue\n",
	       (seconds() - t) / (LEASEDB_QUEUE + 100) * 1e6);
	save(db, 0x0c000000 + LEASEDB_QUEUE, "newer", 1, 0);
	queued = h.queued;
	leasedb_health(db, &h);
	ok(h.queued == LEASEDB_QUEUE && h.lost == queued + 100,
	   "too many push out the oldest, which are counted");
	limit_files(RLIM_INFINITY);
	ok(wait_written(db, h.written + LEASEDB_QUEUE, false), "a disk with room again gets all");
	leasedb_close(db);
	load();
	ok(strstr(loaded, "12.0.0.100 default new 1 0\n") &&
		   strstr(loaded, "12.1.0.0 default newer 1 0\n") && !strstr(loaded, "12.0.0.99 "),
	   "that was queued");
	printf("# %u rows\n", n_loaded);

	db = open_db(true);
	limit_files(1);
	save(db, 1, "late", 1, 0);
	t = seconds();
	leasedb_close(db);
	limit_files(RLIM_INFINITY);
	ok(seconds() - t < 5, "closing does not wait for a disk that does not come back");
}

static void test_locked(void)
{
	struct leasedb *db;
	sqlite3 *other;
	double t, worst = 0;

	remove_db();
	db = open_db(true);
	if (sqlite3_open(path, &other) != SQLITE_OK ||
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	for (unsigned i = 0; i < 200; i++) {
		t = seconds();
		save(db, i, "alice", 1, 0);
		t = seconds() - t;
		worst = t > worst ? t : worst;
		usleep(1000);
	}
	ok(worst < 0.5, "another program's lock does not hold up the caller (%.0f us)",
	   worst * 1e6);
	sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(other);
	ok(wait_written(db, 200, false), "and all is written when it has gone");
	leasedb_close(db);
}

static void test_killed(void)
{
	int status, hold[2];
	pid_t pid;
	char c;

	remove_db();
	if (pipe2(hold, O_CLOEXEC) < 0)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct leasedb *db = open_db(true);

		for (uint32_t i = 0; i < 1000; i++)
			save(db, i, "alice", 1, 0);
		c = wait_written(db, 1000, false);
		if (write(hold[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ok(read(hold[0], &c, 1) == 1 && c, "a daemon has written 1,000 rows");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	load();
	is_int(n_loaded, 1000, "which are there after it was killed");
	close(hold[0]);
	close(hold[1]);
}

/* Random puts and takes against an array that is searched and moved by hand. */
static void test_queue(void)
{
	struct leasequeue *q = leasequeue_new(8);
	struct lease_record out[3];
	struct model {
		uint32_t addr;
		uint64_t value;
	} m[8];
	unsigned n = 0, at;
	bool fine = q != NULL;

	srand(7);
	for (uint64_t step = 1; step < 100000 && fine; step++) {
		struct lease_record rec = { .granted_s = step };
		uint32_t a = (uint32_t)rand() % 12, k;
		bool fits = true;

		if (rand() % 3 == 0) {
			k = leasequeue_take(q, out, 3);
			fine &= k == (n < 3 ? n : 3);
			for (uint32_t i = 0; i < k; i++)
				fine &= ipaddr_to_v4(&out[i].addr) == m[i].addr &&
					out[i].granted_s == m[i].value;
			n -= k;
			memmove(m, m + k, n * sizeof(m[0]));
			continue;
		}
		rec.addr = ipaddr_v4(a);
		for (at = 0; at < n && m[at].addr != a; at++)
			;
		if (at == 8) {
			fits = false;
			memmove(m, m + 1, 7 * sizeof(m[0]));
			at = --n;
		}
		n += at == n;
		m[at] = (struct model){ a, step };
		fine &= leasequeue_put(q, &rec) == fits && leasequeue_count(q) == n;
	}
	ok(fine, "the queue does as an array would");
	leasequeue_free(q);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.40s/leasedb.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/leases.db", dir);
	test_round_trip();
	test_pins();
	test_names();
	test_pace();
	test_refused();
	test_no_memory();
	test_damaged();
	test_disk_full();
	test_locked();
	test_killed();
	test_queue();
	remove_db();
	rmdir(dir);
	return done();
}
