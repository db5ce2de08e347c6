/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gateway.h - the one place that sees everything: the core's effects meet the kernel, vpngw-authd,
 * the pools, the sockets and the operator here. It is kept dull: one function per effect
 * (effects.c), one per event (gateway.c), one per line in the journal (events.c).
 */
#pragma once

#include <systemd/sd-event.h>

#include "auth/client.h"
#include "config.h"
#include "creds.h"
#include "ctl/server.h"
#include "handover.h"
#include "ike/ike.h"
#include "ike/sa.h"
#include "leasedb.h"
#include "log.h"
#include "net.h"
#include "nets.h"
#include "pool/pool.h"
#include "trust.h"
#include "workers.h"
#include "xfrm/xfrm.h"

/* Whether a client was sent anything lately; zeroes before the first look. */
struct keepalive {
	uint64_t packets, looked_us; /* outbound when last looked, and when that was */
	uint64_t quiet_us;           /* since when nothing may have been sent */
};

/* What the shell knows of a session beside the core: same slot, same generation. */
struct gw_session {
	uint32_t gen;
	bool up;                   /* session-up was written */
	struct ipaddr own_address; /* the user's own, from the users file; family IP_NONE: none */
	uint64_t granted_s;        /* the lease, CLOCK_REALTIME */
	uint64_t bytes_in, bytes_out; /* of SA pairs that are gone */
	uint64_t gone_in, gone_out;   /* packets of those */
	/* What is added here may have to be added to the record in handover.c. */
	uint64_t seen_in, seen_out; /* packets of all, when last looked at */
	/* Bytes of these are in the gateway's sums; another process counted them while `inherited`. */
	uint64_t summed_in, summed_out;
	bool inherited;
	struct keepalive keepalive;
	char reason[128]; /* vpngw-authd's, or the operator's; escaped */
	uint64_t check;   /* before the login: the password check that asks the user something */
};

/* A password check under way. */
struct gw_check {
	struct ike_ticket who;
	bool used;
	uint32_t gen;
	uint64_t question; /* auth_client_answer()'s handle */
};

/* Counters of the kernel's SAs, for one request of an operator. */
struct gw_counted {
	struct ipaddr dst;
	uint32_t spi;
	struct xfrm_counters c;
};

struct gw {
	sd_event *event;
	const char *config_path;  /* for the operator; static or argv */
	const char *config_named; /* on the command line; NULL: the installed one */
	bool any_kernel;          /* as of gw_options */
	struct config *config;
	struct creds *creds;
	struct trust *trust; /* NULL: no client needs a certificate */
	struct ike *ike;
	struct fx *fx;
	struct net *net;
	struct workers *workers;
	struct auth_client *auth;
	struct pools *pools;
	struct leasedb *leases; /* NULL: in memory only */
	struct xfrm *xfrm;
	bool link_made;
	struct prefix *stale; /* owned: of pools that have gone or shrunk, while addresses drain */
	size_t n_stale;
	struct handover *handover; /* owned */
	uint64_t leave_us;         /* stopping for a restart: when at the latest */
	bool stay; /* another process goes on: sessions and the kernel's objects are left as they are */
	struct ctl_server *ctl, *look; /* look: for looking alone; NULL without one */
	sd_event_source *timer, *sampler, *certwatch;
	sd_event_source *reports;   /* of the kernel; owns its socket */
	struct gw_session *session; /* owned, by slot */
	uint32_t n_session;
	struct gw_check *check; /* owned */
	uint32_t n_check;
	struct gw_counted *counted; /* owned, sorted by SPI */
	size_t n_counted;
	uint64_t counted_us;          /* when they were read; 0: never */
	uint64_t bytes_in, bytes_out; /* through all tunnels since the start, as of then */
	struct log_limit count_limit, refused_limit;
	struct log_limit note_limit[IKE_R__COUNT];
	struct log_limit unnamed_limit[IKE_R__COUNT], named_limit[IKE_R__COUNT]; /* failed logins */
	uint64_t refused[IKE_R__COUNT]; /* logins and messages, for `vpngwctl stats` */
	bool leases_failing;            /* the database was failing when looked at last */
	uint64_t since_s;               /* CLOCK_REALTIME */
};

struct gw_options {
	const char *config;  /* NULL: the installed one */
	const char *control; /* path of the control socket when systemd passed none */
	const char *auth;    /* path of vpngw-authd's socket */
	bool any_kernel;     /* start even when the kernel can do none of the ESP proposals */
};

/*
 * Starts everything, runs until SIGTERM, ends every session, leaves nothing in the kernel.
 * An exit status: 0; 1 for what the machine refused; 6 for a configuration that is not valid.
 */
int gw_main(const struct gw_options *o);

/* ---- gateway.c ---- */
uint64_t gw_now_us(const struct gw *gw); /* CLOCK_BOOTTIME */
uint64_t gw_real_s(void);                /* CLOCK_REALTIME */
struct gw_session *gw_session(struct gw *gw,
			      struct sess_id id); /* made when missing; NULL: no memory */
void gw_settle(struct gw *gw);                    /* carries out all effects, arms the timer */
/* answer: of xfrm_forwarding(family). Says what is wrong; 0, or with `refuse` the -errno to end
 * with. */
int gw_check_forwarding(bool refuse, int family, int answer);

/* ---- leases.c ---- */
/* Fills the pools from the file; what goes wrong is in the log, and leases are in memory only. */
void leases_open(struct gw *gw, const char *path);
/* Says once when the disk stops taking leases, and once when it takes them again. */
void leases_watch(struct gw *gw);

/* ---- reload.c ---- */
/*
 * Reads the configuration again and, with `apply`, takes it over; without, says what would change.
 * All or nothing: -EINVAL with what is wrong in ret->message, and everything is as it was. who NULL:
 * a signal. The caller clears *ret in any case.
 */
int gw_reload(struct gw *gw, bool apply, const struct ctl_peer *who, struct ctl_reload *ret);
#define RELOAD_CREDENTIALS "/run/vpngw/credentials" /* by systemctl reload, while it lasts */
int reload_on_hangup(sd_event_source *src, const struct signalfd_siginfo *si, void *userdata);

/* ---- reload_nets.c: the pools' networks in the kernel ---- */
struct reload_nets {
	struct prefix *add, *drop; /* owned: which to let in, which are of no pool any more */
	size_t n_add, n_drop;
};
/* Lets in what c has more than there is. 0, or -errno with everything as it was and a sentence. */
int reload_nets_add(struct gw *gw, const struct config *c, struct reload_nets *ret, char *why,
		    size_t cap);
/* The one or the other ends it: as it was, or once gw->pools are the new ones. */
void reload_nets_undo(struct gw *gw, struct reload_nets *n);
void reload_nets_settle(struct gw *gw, struct reload_nets *n);
/* A lease was released: networks that are of no pool go when no address drains any more. */
void reload_drained(struct gw *gw);
/* At the start, when the kernel has nothing of these networks: each address that drains, or is of an
 * IPv6 network of before, by itself. */
void reload_nets_drain(struct gw *gw);

/* ---- effects.c ---- */
void gw_run_effects(struct gw *gw);
void gw_show_status(const struct gw *gw);
void gw_auth_reply(void *ctx, uint64_t id, const struct auth_reply *r);

/* ---- question.c ---- */

/* The check with this cookie; NULL: it is over. */
struct gw_check *gw_check_of(struct gw *gw, uint64_t cookie);
/* auth_question_fn */
void gw_auth_question(void *ctx, uint64_t id, uint64_t handle, const struct auth_question *q);
/* FX_ANSWER: the check goes on under the ticket of the answer, or is over without one. */
void question_answer(struct gw *gw, const struct fx_item *it);
void question_again(struct gw *gw, const struct fx_item *it); /* FX_AGAIN */
void gw_work_done(void *ctx, const struct work *w);

/* ---- events.c ---- */
void event_up(const struct ike_ticket *who, const struct fx_session *s);
void event_rekey(const struct fx_session *s);
/* A login has failed, and the user may try again. */
void event_again(struct gw *gw, const struct gw_session *g, const struct fx_session *s);
void event_down(struct gw *gw, const struct gw_session *g, const struct fx_session *s);
void event_moved(const struct fx_session *s);
void event_note(struct gw *gw, const struct fx_item *it);
void event_lease(const struct ike_sa *sa, bool granted, const char *user, const struct ipaddr *addr,
		 const char *session);
void event_cert_expiring(const char *text, int64_t expires_s);
void event_pool_exhausted(const struct ike_sa *sa, const char *pool);
void event_address_taken(const struct ike_sa *sa, const struct ipaddr *addr, bool outside);

/* ---- esp.c ---- */
/* The kernel's names for them, with the length of the ICV. */
void esp_algorithms(enum esp_enc enc, enum esp_auth auth, struct xfrm_sa *sa);
/* Tries one proposal on the kernel: 0, or -errno with `what` (borrowed until the next call). */
int esp_try(const struct ike_p2 *p, struct xfrm *x, const char **ret_what);
/* The same of IPComp, where the configuration asks for it. */
int esp_try_ipcomp(const struct ike_conf *conf, struct xfrm *x, const char **ret_what);
/* Tries each ESP proposal on the kernel, and IPComp, with a line for each that it refuses. 0, or the
 * first -errno when it refuses all proposals. */
int esp_probe(const struct ike_conf *conf, struct xfrm *x);

/* ---- traffic.c ---- */
int traffic_start(struct gw *gw);
/* Other limits: who has been idle is found out now, and looked at again in time for them. */
void traffic_again(struct gw *gw);
/* Reads the counters of all our SAs, unless that was done in the last second or cannot be done:
 * then those of the time before stay. ctx is the gateway. */
void traffic_snapshot(void *ctx);
/* What the counters that were read say of each session. */
void traffic_look(struct gw *gw);
/* The session ends: what it has carried since the last look belongs to the sums, too. */
void traffic_over(struct gw *gw, struct gw_session *g);
/* A session's SAs have carried so many packets by now, in and out. */
/* As the last snapshot has them; zeros for an SA that was not there. */
struct xfrm_counters traffic_of(const struct gw *gw, const struct ipaddr *dst, uint32_t spi);

/* ---- roam.c ---- */
int roam_start(struct gw *gw);
void roam_keepalive(struct gw *gw, const struct fx_item *it);
/* True when one is due, and then it counts as sent. `packets`: sent so far. */
bool keepalive_due(struct keepalive *k, uint64_t packets, uint64_t now_us, uint64_t interval_us);

/* ---- certwatch.c ---- */
int certwatch_start(struct gw *gw);
void certwatch_look(struct gw *gw); /* an event when less than three weeks are left */

/* ---- stats.c ---- */
/* The i-th counter, as ctl/server.h wants it; ctx is the gateway. */
bool stats_next(void *ctx, uint32_t i, struct ctl_stat *ret);

/* ---- view.c ---- */
extern const struct ctl_ops gw_ctl_ops;
