/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_handover.c - a thousand sessions go from one process to the next, with this test as systemd;
 * how long that takes, and that a store that was damaged is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "handover_private.h"
#include "ike_kit.h"
#include "log_kept.h"
#include "random.h"

#define SESSIONS 1000
#define HELD     8

static struct gw gw;
static struct config config;
static uint8_t rec[SESSIONS][1024], again[65536];
static size_t n_rec[SESSIONS];

/* ---- systemd's side ---- */

static int notify_fd, held[HELD];
static char *held_name[HELD];
static unsigned n_held;

static void start_systemd(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char env[sizeof(sun.sun_path)];
	int n = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "vpngw-handover-%d", getpid());

	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(notify_fd, (struct sockaddr *)&sun,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0)
		abort();
	snprintf(env, sizeof(env), "@%s", sun.sun_path + 1);
	setenv("NOTIFY_SOCKET", env, 1);
}

static void drop_held(const char *name)
{
	for (unsigned i = 0; i < n_held; i++)
		if (strcmp(held_name[i], name) == 0) {
			close(held[i]);
			free(held_name[i]);
			held[i] = held[--n_held];
			held_name[i] = held_name[n_held];
			i--;
		}
}

/* All that was said to it. */
static void listen_to_it(void)
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(sizeof(int))];
	} control;
	char text[512];
	ssize_t n;

	for (;;) {
		struct iovec iov = { text, sizeof(text) - 1 };
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control) };
		struct cmsghdr *cm;
		char *name;

		n = recvmsg(notify_fd, &m, 0);
		if (n < 0)
			return;
		text[n] = '\0';
		name = strstr(text, "FDNAME=");
		cm = CMSG_FIRSTHDR(&m);
		if (!name)
			continue;
		name += strlen("FDNAME=");
		if (strncmp(text, "FDSTOREREMOVE=1\n", 16) == 0) {
			drop_held(name);
		} else if (cm && cm->cmsg_type == SCM_RIGHTS && n_held < HELD) {
			memcpy(&held[n_held], CMSG_DATA(cm), sizeof(int));
			held_name[n_held++] = strdup(name);
		}
	}
}

/* ---- the daemon's side ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int on_timer(sd_event_source *src, uint64_t usec, void *userdata)
{
	(void)src, (void)usec, (void)userdata;
	return 0;
}

/* A process begins, with what systemd holds, between two sockets. */
static void begin(void)
{
	int fds[HELD + 2] = { 1000 }, others[HELD + 2];
	static char ike[] = "ike", control[] = "control";
	char *names[HELD + 3] = { ike };
	unsigned n = 1;

	gw = (struct gw){ .config = &config, .fx = calloc(1, sizeof(struct fx)) };
	for (unsigned i = 0; i < n_held; i++) {
		fds[n] = fcntl(held[i], F_DUPFD_CLOEXEC, 3);
		names[n++] = held_name[i];
	}
	fds[n] = 1001;
	names[n++] = control;
	if (sd_event_default(&gw.event) < 0 ||
	    sd_event_add_time(gw.event, &gw.timer, CLOCK_BOOTTIME, UINT64_MAX, 1, on_timer, NULL) <
		    0 ||
	    handover_new(fds, names, &n, others, &gw.handover) < 0 ||
	    ike_new(&g.conf, random_source, &gw.ike) < 0)
		abort();
	if (n != 2 || others[0] != 1000 || others[1] != 1001)
		ok(false, "sockets are told from stores");
}

/* It ends without a word. */
static void end(void)
{
	listen_to_it();
	gw.handover = handover_free(gw.handover);
	gw.ike = ike_free(gw.ike);
	sd_event_source_disable_unref(gw.timer);
	sd_event_unref(gw.event);
	free(gw.session);
	free(gw.fx);
}

/* Each by a real login, in a gateway of its own, at another address. */
static void make_sessions(void)
{
	for (unsigned i = 0; i < SESSIONS; i++) {
		uint64_t seed = g.seed;

		gate_init(&g);
		g.no_crypto = true;
		g.seed = seed ? seed : 88172645463325252u;
		g.pool_first = 0x0a000001 + i;
		gate_start(&g);
		client_init(&c, "192.0.2.7:500", "198.51.100.1:500");
		c.no_crypto = true;
		c.seed = i + 1;
		if (!client_up(&c, &g) ||
		    ike_save(g.ike, client_sa(&c, &g)->id, rec[i], sizeof(rec[i]), &n_rec[i]) < 0)
			abort();
		gate_stop(&g);
	}
}

static void test_thousand(void)
{
	struct sess_id id;
	double start, took;
	unsigned same = 0;
	size_t n, bytes = 0;

	begin();
	for (uint32_t i = 0; i < SESSIONS; i++) {
		if (ike_restore_at(gw.ike, i, (struct span){ rec[i], n_rec[i] }, gw_now_us(&gw),
				   &id) < 0)
			abort();
		*gw_session(&gw, id) = (struct gw_session){ .gen = id.gen, .granted_s = 1000 + i };
		bytes += n_rec[i];
	}
	start = now_ms();
	handover_finish(&gw);
	printf("# %u sessions of %zu bytes each are written in %.1f ms\n", SESSIONS,
	       bytes / SESSIONS, now_ms() - start);
	listen_to_it();
	is_int(n_held, 1, "systemd holds one store");
	start = now_ms();
	for (unsigned k = 0; k < 20; k++)
		for (uint32_t i = 0; i < SESSIONS; i++) {
			table_changed(&gw.ike->t, i);
			handover_flush(&gw);
		}
	took = (now_ms() - start) / 20 / SESSIONS * 1e3;
	printf("# a change of one of %u costs %.2f us\n", SESSIONS, took);
	listen_to_it();
	is_int(n_held, 1, "and still one after many changes");
	end();

	begin();
	start = now_ms();
	handover_restore(&gw);
	printf("# %u sessions are read in %.1f ms\n", SESSIONS, now_ms() - start);
	is_int(ike_sessions(gw.ike), SESSIONS, "the next process has them all");
	ok(gw.stay, "and would leave them alone if it could not start");
	for (uint32_t i = 0; i < SESSIONS; i++) {
		id = gw.ike->t.slot[i].sa ? gw.ike->t.slot[i].sa->id : (struct sess_id){ 0 };
		same += ike_save(gw.ike, id, again, sizeof(again), &n) == 0 && n == n_rec[i] &&
			memcmp(again, rec[i], n) == 0 && gw_session(&gw, id)->granted_s == 1000 + i;
	}
	is_int(same, SESSIONS, "each in its place, as it was");
	ok(!handover_is_busy(&gw), "no Quick Mode is under way");
	gw.ike->t.slot[7].sa->children->state = IKE_CHILD_PENDING;
	ok(handover_is_busy(&gw), "of one that is, a restart knows");
	gw.ike->t.slot[7].sa->children->state = IKE_CHILD_UP;
	gw.handover->restored = 0; /* there is no kernel to look into */
	handover_finish(&gw);
	ike_close(gw.ike, gw.ike->t.slot[3].sa->id, IKE_R_KICKED, gw_now_us(&gw), gw.fx);
	fx_reset(gw.fx);
	handover_flush(&gw);
	listen_to_it();
	is_int(n_held, 1, "it has a store of its own, instead of the other one");
	end();
	begin();
	handover_restore(&gw);
	is_int(ike_sessions(gw.ike), SESSIONS - 1, "what has ended stays so");
	end();
}

/* The store with one bit changed: nobody can write into the real one. */
static void test_damaged(void)
{
	size_t size = (size_t)lseek(held[0], 0, SEEK_END);
	uint8_t *copy = malloc(size);
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING), was = held[0];

	ok(pwrite(was, "x", 1, 100) == -1 &&
		   mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, was, 0) == MAP_FAILED &&
		   ftruncate(was, 0) == -1,
	   "nobody can change the store from outside");
	if (pread(was, copy, size, 0) != (ssize_t)size)
		abort();
	copy[KEEPLOG_HEAD + 5000] ^= 1; /* in both halves: one is in use */
	copy[KEEPLOG_HEAD + (size - KEEPLOG_HEAD) / 16 * 8 + 5000] ^= 1;
	if (write(fd, copy, size) != (ssize_t)size)
		abort();
	held[0] = fd;
	kept_none();
	begin();
	handover_restore(&gw);
	ok(ike_sessions(gw.ike) == 0 && !gw.stay && strstr(kept_last(), "they are damaged"),
	   "one whose size is not sealed is refused");
	end();
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	kept_none();
	begin();
	handover_restore(&gw);
	ok(ike_sessions(gw.ike) == 0 && !gw.stay && strstr(kept_last(), "they are damaged"),
	   "REL-22: with one bit changed it is refused whole, and the journal says so");
	handover_finish(&gw);
	end();
	ok(n_held == 1 && strcmp(held_name[0], "vpngw-sessions-1") != 0,
	   "and another one takes its place");
	close(was);
	free(copy);
}

static void test_by_hand(void)
{
	while (n_held)
		drop_held(held_name[0]);
	unsetenv("NOTIFY_SOCKET");
	begin();
	handover_restore(&gw);
	handover_finish(&gw);
	ok(!gw.stay && !handover_wanted(&gw), "without systemd nothing is kept");
	end();
	listen_to_it();
	is_int(n_held, 0, "nor told to anybody");
}

int main(void)
{
	snprintf(config.tunnel.interface, sizeof(config.tunnel.interface), "vpn0");
	kept_none();
	start_systemd();
	make_sessions();
	test_thousand();
	test_damaged();
	test_by_hand();
	close(notify_fd);
	return done();
}
