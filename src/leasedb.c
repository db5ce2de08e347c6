/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leasedb.c - the lease file: a SQLite table with one row for each address, written by a thread.
 *
 * The connection belongs to the caller until leasedb_start(), to the thread until it has ended,
 * and to the caller again in leasedb_close(). The queue and the health are under the lock, which
 * is never held across a call to SQLite.
 */
#include "leasedb.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "leasequeue.h"

#define APPLICATION_ID 0x76706e67 /* in the file's header: it is ours */
#define FORMAT         2          /* its user_version */
#define BUSY_MS        2000       /* somebody looks at the file with another program */
#define RETRY_MS       1000

static const char schema[] = "BEGIN IMMEDIATE;"
			     "CREATE TABLE lease ("
			     " address TEXT PRIMARY KEY,"
			     " pool TEXT NOT NULL,"
			     " user TEXT NOT NULL,"
			     " granted_s INTEGER NOT NULL,"
			     " released_s INTEGER NOT NULL," /* 0: a session has it */
			     " pinned INTEGER NOT NULL DEFAULT 0"
			     ") WITHOUT ROWID;"
			     "PRAGMA application_id = 1987079783;"
			     "PRAGMA user_version = 2;"
			     "COMMIT";

/* Format 1 knew no pins. */
static const char upgrade[] = "BEGIN IMMEDIATE;"
			      "ALTER TABLE lease ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;"
			      "PRAGMA user_version = 2;"
			      "COMMIT";

_Static_assert(APPLICATION_ID == 1987079783 && FORMAT == 2, "as in the schema");

struct leasedb {
	sqlite3 *sql;                /* owned */
	sqlite3_stmt *save, *forget; /* owned */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	struct leasequeue *queue; /* owned */
	struct leasedb_health health;
};

/* ---- SQLite's answers ---- */

static int to_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	}
	return -EIO;
}

static void describe(sqlite3 *sql, char why[static LEASEDB_WHY])
{
	int err = sqlite3_system_errno(sql);

	if (err)
		snprintf(why, LEASEDB_WHY, "%s (%s)", sqlite3_errmsg(sql), strerror(err));
	else
		snprintf(why, LEASEDB_WHY, "%s", sqlite3_errmsg(sql));
}

static int run_sql(sqlite3 *sql, const char *text)
{
	return to_errno(sqlite3_exec(sql, text, NULL, NULL, NULL));
}

/* The number that a statement of one row and one column answers. */
static int ask_number(sqlite3 *sql, const char *text, int64_t *ret)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(sql, text, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return rc == SQLITE_DONE ? -EBADMSG : to_errno(rc);
}

/* ---- opening ---- */

/* SQLite would take a directory or a pipe for a strange disk error, or wait for ever. */
static int check_file(const char *path, char why[static LEASEDB_WHY])
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int err = errno;

		snprintf(why, LEASEDB_WHY, "cannot open %s: %s", path, strerror(err));
		return err == EISDIR || err == ENXIO ? -EINVAL : -err;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, LEASEDB_WHY, "%s is not a regular file", path);
		return -EINVAL;
	}
	return 0;
}

/* Whole, and ours; a new file is made ours. */
static int check_content(sqlite3 *sql, const char *path, char why[static LEASEDB_WHY])
{
	int64_t app = 0, version = 0, tables = 0, whole = 0;
	int r;

	if ((r = ask_number(sql, "PRAGMA application_id", &app)) < 0 ||
	    (r = ask_number(sql, "PRAGMA user_version", &version)) < 0 ||
	    (r = ask_number(sql, "SELECT count(*) FROM sqlite_schema", &tables)) < 0) {
		describe(sql, why);
		/* Nothing is wrong with the questions: the header says what cannot be. */
		return sqlite3_errcode(sql) == SQLITE_ERROR ? -EBADMSG : r;
	}
	if (app == 0 && version == 0 && tables == 0) {
		r = run_sql(sql, schema);
		if (r < 0)
			describe(sql, why);
		return r;
	}
	if (app != APPLICATION_ID) {
		snprintf(why, LEASEDB_WHY, "%s is the database of another program", path);
		return -EEXIST;
	}
	if (version > FORMAT) {
		snprintf(why, LEASEDB_WHY,
			 "%s was written by a newer version: its format is %lld, this program "
			 "knows formats up to %d",
			 path, (long long)version, FORMAT);
		return -EPROTONOSUPPORT;
	}
	r = ask_number(sql, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check = 'ok'",
		       &whole);
	if (r < 0 || whole == 0 || version < 1) {
		snprintf(why, LEASEDB_WHY, "%s is damaged", path);
		return r < 0 ? r : -EBADMSG;
	}
	r = version == 1 ? run_sql(sql, upgrade) : 0;
	if (r < 0)
		describe(sql, why);
	return r;
}

static int open_sql(struct leasedb *db, const char *path, char why[static LEASEDB_WHY])
{
	static const char save[] = "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	static const char forget[] = "DELETE FROM lease WHERE address = ?1";
	static const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int r = to_errno(sqlite3_open_v2(path, &db->sql, flags, NULL));

	if (r == 0) {
		sqlite3_extended_result_codes(db->sql, 1);
		sqlite3_busy_timeout(db->sql, BUSY_MS);
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		r = check_content(db->sql, path, why);
		if (r < 0)
			return r;
		/* WAL needs shared memory; where there is none, SQLite stays with its journal. */
		r = run_sql(db->sql, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	}
	if (r == 0)
		r = to_errno(sqlite3_prepare_v2(db->sql, save, -1, &db->save, NULL));
	if (r == 0)
		r = to_errno(sqlite3_prepare_v2(db->sql, forget, -1, &db->forget, NULL));
	if (r < 0 && db->sql)
		describe(db->sql, why);
	return r;
}

int leasedb_open(const char *path, struct leasedb **ret, char ret_why[static LEASEDB_WHY])
{
	pthread_condattr_t attr;
	struct leasedb *db;
	int r = check_file(path, ret_why);

	if (r < 0)
		return r;
	snprintf(ret_why, LEASEDB_WHY, "out of memory");
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&db->wake, &attr);
	pthread_condattr_destroy(&attr);
	db->queue = leasequeue_new(LEASEDB_QUEUE);
	r = db->queue ? open_sql(db, path, ret_why) : -ENOMEM;
	if (r < 0) {
		leasedb_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

int leasedb_set_aside(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *from = NULL, *to = NULL;

		if (asprintf(&from, "%s%s", path, parts[i]) < 0 ||
		    asprintf(&to, "%s.damaged%s", path, parts[i]) < 0)
			return -ENOMEM;
		if (rename(from, to) == 0)
			continue;
		if (errno != ENOENT)
			r = -errno;
		unlink(to); /* an older one's: it does not belong to this file */
	}
	return r;
}

/* ---- reading ---- */

/* Text without a NUL in it, of at most `max` bytes; NULL when it is not. */
static const char *column_text(sqlite3_stmt *s, int col, size_t max)
{
	const char *text = (const char *)sqlite3_column_text(s, col);
	size_t n = (size_t)sqlite3_column_bytes(s, col);

	return text && n > 0 && n <= max && strlen(text) == n ? text : NULL;
}

static bool read_row(sqlite3_stmt *s, struct leasedb_row *ret)
{
	const char *addr = column_text(s, 0, ENDPOINT_STRLEN);
	int64_t granted = sqlite3_column_int64(s, 3), released = sqlite3_column_int64(s, 4);

	ret->pool = column_text(s, 1, LIMIT_GROUP_NAME);
	ret->user = column_text(s, 2, LIMIT_USER);
	ret->granted_s = (uint64_t)granted;
	ret->released_s = (uint64_t)released;
	ret->pinned = sqlite3_column_int(s, 5) != 0;
	return addr && ret->pool && ret->user && granted >= 0 && released >= 0 &&
	       ipaddr_parse(addr, &ret->addr) == 0;
}

int leasedb_load(struct leasedb *db, int (*fn)(void *ctx, const struct leasedb_row *row), void *ctx)
{
	static const char query[] =
		"SELECT address, pool, user, granted_s, released_s, pinned FROM lease"
		" ORDER BY released_s = 0, released_s";
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->sql, query, -1, &s, NULL), r = to_errno(rc);

	while (r >= 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct leasedb_row row;

		if (read_row(s, &row))
			r = fn(ctx, &row);
	}
	if (r >= 0)
		r = to_errno(rc);
	sqlite3_finalize(s);
	return r;
}

/* ---- the caller's side of the queue ---- */

static void queue_add(struct leasedb *db, const struct lease_record *rec)
{
	uint32_t n;

	pthread_mutex_lock(&db->lock);
	if (!leasequeue_put(db->queue, rec))
		db->health.lost++;
	n = leasequeue_count(db->queue);
	/* The thread sleeps until there is one, then until there are enough. */
	if (n == 1 || n == LEASEDB_GROUP)
		pthread_cond_signal(&db->wake);
	pthread_mutex_unlock(&db->lock);
}

void leasedb_save(struct leasedb *db, const struct leasedb_row *row)
{
	struct lease_record rec = { .addr = row->addr,
				    .granted_s = row->granted_s,
				    .released_s = row->released_s,
				    .pinned = row->pinned };

	if (strlen(row->pool) > LIMIT_GROUP_NAME || strlen(row->user) > LIMIT_USER) {
		pthread_mutex_lock(&db->lock);
		db->health.lost++; /* a name cut short would be another user's */
		pthread_mutex_unlock(&db->lock);
		return;
	}
	strcpy(rec.pool, row->pool);
	strcpy(rec.user, row->user);
	queue_add(db, &rec);
}

void leasedb_forget(struct leasedb *db, const struct ipaddr *addr)
{
	struct lease_record rec = { .addr = *addr, .forget = true };

	queue_add(db, &rec);
}

void leasedb_health(struct leasedb *db, struct leasedb_health *ret)
{
	pthread_mutex_lock(&db->lock);
	*ret = db->health;
	ret->queued = leasequeue_count(db->queue);
	pthread_mutex_unlock(&db->lock);
}

/* ---- the thread ---- */

static int write_record(struct leasedb *db, const struct lease_record *rec)
{
	sqlite3_stmt *s = rec->forget ? db->forget : db->save;
	char addr[ENDPOINT_STRLEN];
	int rc;

	sqlite3_bind_text(s, 1, ipaddr_str(&rec->addr, addr), -1, SQLITE_STATIC);
	if (!rec->forget) {
		sqlite3_bind_text(s, 2, rec->pool, -1, SQLITE_STATIC);
		sqlite3_bind_text(s, 3, rec->user, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 4, (sqlite3_int64)rec->granted_s);
		sqlite3_bind_int64(s, 5, (sqlite3_int64)rec->released_s);
		sqlite3_bind_int(s, 6, rec->pinned);
	}
	rc = sqlite3_step(s);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return to_errno(rc);
}

/* One commit: all of it or nothing. */
static int write_group(struct leasedb *db, const struct lease_record *rec, uint32_t n,
		       char why[static LEASEDB_WHY])
{
	int r = run_sql(db->sql, "BEGIN IMMEDIATE");

	for (uint32_t i = 0; i < n && r == 0; i++)
		r = write_record(db, &rec[i]);
	if (r == 0)
		r = run_sql(db->sql, "COMMIT");
	if (r < 0) {
		describe(db->sql, why);
		if (!sqlite3_get_autocommit(db->sql))
			run_sql(db->sql, "ROLLBACK");
	}
	return r;
}

/* Sleeps until `ms` from now, or less when the queue has a whole group or the end has come. */
static void doze(struct leasedb *db, long ms, uint32_t enough)
{
	struct timespec t;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	while (!db->stop && leasequeue_count(db->queue) < enough && r == 0)
		r = pthread_cond_timedwait(&db->wake, &db->lock, &t);
}

static void *writer(void *arg)
{
	struct lease_record group[LEASEDB_GROUP];
	struct leasedb *db = arg;
	char why[LEASEDB_WHY];
	uint32_t n = 0;
	int r;

	pthread_mutex_lock(&db->lock);
	for (;;) {
		if (n > 0) {
			doze(db, RETRY_MS, UINT32_MAX); /* the disk failed: the group waits */
		} else {
			while (!db->stop && leasequeue_count(db->queue) == 0)
				pthread_cond_wait(&db->wake, &db->lock);
			doze(db, LEASEDB_WAIT_MS, LEASEDB_GROUP);
			n = leasequeue_take(db->queue, group, LEASEDB_GROUP);
		}
		if (n == 0)
			break; /* the end, and nothing is left */
		pthread_mutex_unlock(&db->lock);
		r = write_group(db, group, n, why);
		pthread_mutex_lock(&db->lock);
		db->health.failing = r < 0;
		if (r == 0) {
			db->health.written += n;
			n = 0;
			continue;
		}
		db->health.errors++;
		memcpy(db->health.last_error, why, sizeof(why));
		if (db->stop) {
			db->health.lost += n + leasequeue_count(db->queue);
			break;
		}
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

int leasedb_start(struct leasedb *db)
{
	sigset_t all, old;
	int r;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&db->thread, NULL, writer, db);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	db->started = r == 0;
	return -r;
}

struct leasedb *leasedb_close(struct leasedb *db)
{
	if (!db)
		return NULL;
	if (db->started) {
		pthread_mutex_lock(&db->lock);
		db->stop = true;
		pthread_cond_signal(&db->wake);
		pthread_mutex_unlock(&db->lock);
		pthread_join(db->thread, NULL);
	}
	sqlite3_finalize(db->save);
	sqlite3_finalize(db->forget);
	sqlite3_close(db->sql);
	pthread_cond_destroy(&db->wake);
	pthread_mutex_destroy(&db->lock);
	leasequeue_free(db->queue);
	free(db);
	return NULL;
}
