/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reload.c - another configuration for a gateway that runs, all of it or nothing.
 *
 *   prepare: read, check, load keys, make pools, ask the kernel   may fail, and leaves no trace
 *   compare: what differs, for the operator and the journal
 *   commit:  takes effect in one turn of the loop                 cannot fail
 *
 * Sessions go on: what they have agreed on is theirs (ike_set_conf()), their addresses drain from a
 * pool that shrinks (pools_reconf()), and a login under way is signed with the key whose certificate
 * it shows (workers_set_keys()).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "gateway.h"
#include "ike/psk.h"
#include "nft.h"
#include "text.h"

#define ID_CONFIG_LOADED  "4cb36ff0a56e4ac2bd1a58cb2a6d3d0e"
#define ID_CONFIG_REFUSED "939f60048c9748feb29f3e6db0b3311d"
#define MESSAGES_MAX      50   /* mistakes that are told */
#define CHANGES_LOGGED    50   /* lines in the journal about one reload */
#define SHOWN             1024 /* bytes of a value */

#define RESTART       "systemctl restart vpngw"
#define RESTART_AUTHD "systemctl restart vpngw-authd (no session ends by it)"
#define RELOAD_NFT    "systemctl reload vpngw-nft (systemctl reload vpngw does it as well)"

struct next {
	struct config *config; /* owned, as all */
	struct creds *creds;
	struct trust *trust;
	struct pools *pools;
	struct reload_nets nets;
	bool psk_stays; /* config->psk is the running one's until commit() */
	bool nets_added;
};

/* ---- preparing ---- */

/* What went wrong is in lines; each becomes a message. */
static int refuse_lines(struct ctl_reload *ret, char *lines)
{
	char more[64], *save, *line = strtok_r(lines, "\n", &save);
	size_t left_out = 0;

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		if (ret->n_messages >= MESSAGES_MAX)
			left_out++;
		else if (!ctl_reload_say(ret, line))
			return -ENOMEM;
	}
	snprintf(more, sizeof(more), "and %zu more", left_out);
	return !left_out || ctl_reload_say(ret, more) ? -EINVAL : -ENOMEM;
}

static int refuse(struct ctl_reload *ret, const char *why)
{
	return ctl_reload_say(ret, why) ? -EINVAL : -ENOMEM;
}

/*
 * systemd hands credentials over at the start alone. `systemctl reload' puts the present ones into
 * a directory that only root can write to (vpngw-reload), for as long as it takes; any other reload
 * goes on with what came last. False: `spec` is no credential, or another than is in use.
 */
static bool is_credential(const char *spec, const char *running)
{
	static const char prefix[] = "credential:";

	return strncmp(spec, prefix, strlen(prefix)) == 0 && strcmp(spec, running) == 0;
}

/* Its present content; NULL: nobody has put it there. */
static const char *fresh(const char *spec, char path[static 512])
{
	snprintf(path, 512, RELOAD_CREDENTIALS "/%s", strchr(spec, ':') + 1);
	return access(path, F_OK) == 0 ? path : NULL;
}

static int read_psk(const struct gw *gw, struct next *next, FILE *err)
{
	struct config *c = next->config;
	char path[512], *spec = c->psk_file;
	bool cred = is_credential(spec, gw->config->psk_file), is_fresh = cred && fresh(spec, path);
	int rc;

	if (cred && !is_fresh && gw->config->psk && config_wants_psk(c)) {
		c->psk = gw->config->psk;
		c->ike.psk = c->psk;
		next->psk_stays = true;
		return 0;
	}
	if (is_fresh)
		c->psk_file = path; /* for as long as it is read */
	rc = config_load_psk(c, false, err);
	c->psk_file = spec;
	return rc;
}

static int read_config(const struct gw *gw, struct next *next, struct ctl_reload *ret)
{
	_cleanup_free_ char *lines = NULL;
	size_t n;
	FILE *err = open_memstream(&lines, &n);
	int rc = err ? config_load(gw->config_named, err, &next->config) : -ENOMEM;

	if (rc == 0)
		rc = read_psk(gw, next, err);
	if (err && fclose(err) != 0)
		rc = -ENOMEM;
	return rc == -ENOMEM || rc == 0 ? rc : refuse_lines(ret, lines);
}

/* Opening the key is tried: one that no library can use must not get as far as a login. */
static int read_creds(const struct gw *gw, struct next *next, struct ctl_reload *ret)
{
	const char *spec = next->config->gateway.private_key;
	char err[CREDS_WHY], path[512];
	struct signer *s;
	int rc = is_credential(spec, gw->config->gateway.private_key)
			 ? creds_load_again(next->config, gw->creds, fresh(spec, path),
					    &next->creds, err, sizeof(err))
			 : creds_load(next->config, NULL, &next->creds, err, sizeof(err));

	if (rc < 0)
		return refuse(ret, err);
	s = creds_signer(next->creds);
	signer_free(s);
	if (!s)
		return refuse(ret, "the private key cannot be used for signatures");
	creds_to_conf(next->creds, &next->config->ike);
	rc = trust_load(next->config, &next->trust, err, sizeof(err));
	if (rc < 0)
		return refuse(ret, err);
	trust_to_conf(next->trust, &next->config->ike);
	return 0;
}

static int make_pools(const struct gw *gw, struct next *next)
{
	struct pool_conf conf[LIMIT_POOLS];
	const struct config *c = next->config;

	for (size_t i = 0; i < c->n_pools; i++)
		conf[i] = c->pool[i].pool;
	return pools_reconf(gw->pools, conf, c->n_pools, gw_real_s(), &next->pools);
}

static int prepare(const struct gw *gw, struct next *next, struct ctl_reload *ret)
{
	int rc = read_config(gw, next, ret);

	if (rc == 0)
		rc = read_creds(gw, next, ret);
	return rc;
}

static bool same_p2(const struct ike_conf *a, const struct ike_conf *b)
{
	bool same = a->n_p2 == b->n_p2;

	for (unsigned i = 0; same && i < a->n_p2; i++)
		same = a->p2[i].enc == b->p2[i].enc && a->p2[i].key_len == b->p2[i].key_len &&
		       a->p2[i].auth == b->p2[i].auth && a->p2[i].esn == b->p2[i].esn;
	return same;
}

/* What the kernel may refuse, the last steps before there is no way back. */
static int ask_kernel(struct gw *gw, struct next *next, struct ctl_reload *ret)
{
	const struct conf_tunnel *t = &next->config->tunnel;
	char why[256];
	int ifindex, rc = 0;

	if (!same_p2(&gw->config->ike, &next->config->ike))
		rc = esp_probe(&next->config->ike, gw->xfrm);
	if (rc < 0 && !gw->any_kernel)
		return refuse(ret, "[phase2] proposal: the kernel can do none of them");
	rc = reload_nets_add(gw, next->config, &next->nets, why, sizeof(why));
	if (rc < 0)
		return refuse(ret, why);
	next->nets_added = true;
	if (*t->interface && t->esp_frag != gw->config->tunnel.esp_frag) {
		rc = xfrm_link_keep(t->interface, t->esp_frag, &ifindex);
		if (rc < 0) {
			snprintf(why, sizeof(why), "[tunnel] esp_frag = %u: %s: %s", t->esp_frag,
				 t->interface, strerror(-rc));
			return refuse(ret, why);
		}
	}
	return 0;
}

static void drop(struct gw *gw, struct next *next)
{
	if (next->nets_added)
		reload_nets_undo(gw, &next->nets);
	pools_free(next->pools);
	creds_free(next->creds);
	trust_free(next->trust);
	if (next->config && next->psk_stays)
		next->config->psk = NULL;
	config_free(next->config);
}

/* ---- comparing ---- */

struct compare {
	struct ctl_reload *ret;
	bool kept_esp_frag, nft_told;
};

/* A value as one line; NULL stays NULL. */
static const char *shown(const struct conf_item *it, char buf[static SHOWN])
{
	size_t n = 0;

	if (!it)
		return NULL;
	for (const char *p = it->value; *p && n + 3 < SHOWN; p++) {
		buf[n++] = *p == '\n' ? ',' : *p;
		if (*p == '\n')
			buf[n++] = ' ';
	}
	buf[n] = '\0';
	return buf;
}

static const char *remedy_of(const struct compare *c, const struct conf_item *from,
			     const struct conf_item *to)
{
	const struct conf_item *it = to ? to : from;

	if (c->kept_esp_frag && strcmp(it->key, "esp_frag") == 0)
		return RESTART;
	switch (it->apply) {
	case CONF_APPLY_RELOAD:
		return NULL;
	case CONF_APPLY_START: /* a pool that comes or goes has the store of the others */
		return from && to ? RESTART : NULL;
	case CONF_APPLY_AUTHD:
		return RESTART_AUTHD;
	case CONF_APPLY_NFT:
		return RELOAD_NFT;
	}
	return NULL;
}

static int on_diff(void *ctx, const struct conf_item *from, const struct conf_item *to)
{
	struct compare *c = ctx;
	const struct conf_item *it = to ? to : from;
	char a[SHOWN], b[SHOWN], setting[LIMIT_GROUP_NAME + 64];

	c->nft_told |= it->apply == CONF_APPLY_NFT;
	snprintf(setting, sizeof(setting), *it->name ? "[%s \"%s\"] %s" : "[%s%s] %s", it->section,
		 it->name, it->key);
	return ctl_reload_add(c->ret, setting, shown(from, a), shown(to, b), remedy_of(c, from, to))
		       ? 0
		       : -ENOMEM;
}

static bool same_psk(const struct psk_table *a, const struct psk_table *b)
{
	bool same = (a ? a->n : 0) == (b ? b->n : 0);

	for (size_t i = 0; same && a && i < a->n; i++)
		same = a->v[i].net.len == b->v[i].net.len &&
		       ipaddr_eq(&a->v[i].net.addr, &b->v[i].net.addr) &&
		       span_eq_secret(a->v[i].key, b->v[i].key);
	return same;
}

static const char *until(const struct creds *c, char buf[static 320])
{
	time_t end = (time_t)creds_expires(c);
	char date[32] = "";
	struct tm tm;

	if (gmtime_r(&end, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	snprintf(buf, 320, "%s until %s", creds_subject(c), date);
	return buf;
}

/* Those of vpngw-nft.service. */
static char *rules_of(const struct config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (f)
		nft_print_rules(c, f);
	if (f && fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static bool same_rules(const struct config *a, const struct config *b)
{
	_cleanup_free_ char *x = rules_of(a), *y = rules_of(b);

	return x && y && strcmp(x, y) == 0;
}

/* Files that are read again, whatever the keys say. */
/* A profile's own. One that is new has nothing to compare with. */
static bool compare_banner(const struct config *a, const struct conf_profile *to,
			   struct ctl_reload *ret)
{
	char what[LIMIT_GROUP_NAME + 40];

	snprintf(what, sizeof(what), "[profile \"%s\"] banner: content", to->name);
	for (size_t i = 0; i < a->n_profiles; i++) {
		const struct conf_profile *from = &a->profile[i];

		if (strcmp(from->name, to->name) == 0 && from->banner && to->banner &&
		    strcmp(from->banner, to->banner) != 0)
			return ctl_reload_add(ret, what, NULL, NULL, NULL);
	}
	return true;
}

static bool compare_files(const struct gw *gw, const struct next *next, struct ctl_reload *ret)
{
	const struct config *a = gw->config, *b = next->config;
	char x[320], y[320];
	bool good = true;

	if (!creds_same_certs(gw->creds, next->creds))
		good = ctl_reload_add(ret, "[gateway] certificate: content", until(gw->creds, x),
				      until(next->creds, y), NULL);
	if (good && !creds_same_key(gw->creds, next->creds))
		good = ctl_reload_add(ret, "[gateway] private_key: content", NULL, NULL, NULL);
	if (good && gw->trust && next->trust && !trust_same(gw->trust, next->trust))
		good = ctl_reload_add(ret, "[phase1] ca_file: content", NULL, NULL, NULL);
	if (good && !same_psk(a->psk, b->psk))
		good = ctl_reload_add(ret, "[phase1] psk_file: content", NULL, NULL, NULL);
	if (good && a->banner && b->banner && strcmp(a->banner, b->banner) != 0)
		good = ctl_reload_add(ret, "[mode_cfg] banner: content", NULL, NULL, NULL);
	for (size_t i = 0; good && i < b->n_profiles; i++)
		good = compare_banner(a, &b->profile[i], ret);
	return good;
}

/* What differs in what was read; afterwards next->config is what the gateway can run with. */
static int compare(const struct gw *gw, struct next *next, struct ctl_reload *ret)
{
	struct config *b = next->config;
	struct compare c = { .ret = ret,
			     .kept_esp_frag = strcmp(gw->config->tunnel.interface,
						     b->tunnel.interface) != 0 };
	const char *w;
	int rc = config_diff(gw->config, b, on_diff, &c);

	if (rc == 0 && !compare_files(gw, next, ret))
		rc = -ENOMEM;
	if (rc == 0)
		rc = config_keep(b, gw->config);
	if (rc == 0 && !c.nft_told && !same_rules(gw->config, b) &&
	    !ctl_reload_add(ret, "[tunnel] mssclamp: firewall rules", NULL, NULL, RELOAD_NFT))
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < b->n_warnings; i++)
		rc = ctl_reload_say(ret, b->warnings[i]) ? 0 : -ENOMEM;
	for (unsigned i = 0; rc == 0 && (w = creds_warning(next->creds, i)); i++)
		rc = ctl_reload_say(ret, w) ? 0 : -ENOMEM;
	for (unsigned i = 0; rc == 0 && (w = trust_warning(next->trust, i)); i++)
		rc = ctl_reload_say(ret, w) ? 0 : -ENOMEM;
	return rc;
}

/* ---- the journal ---- */

static void log_change(const struct ctl_change *c)
{
	char from[200], to[200], setting[200];
	int prio = c->remedy ? LOG_WARNING : LOG_NOTICE;

	text_escape(span_str(c->setting), setting, sizeof(setting));
	text_escape(span_str(c->from ? c->from : ""), from, sizeof(from));
	text_escape(span_str(c->to ? c->to : ""), to, sizeof(to));
	log_line(prio, "%s: %s%s%s%s%s", setting,
		 c->from || c->to ? *from ? from : "(empty)" : "changed",
		 c->from || c->to ? " -> " : "", c->from || c->to ? *to ? to : "(empty)" : "",
		 c->remedy ? "; before it holds: " : "", c->remedy ? c->remedy : "");
}

static void log_admin(struct log_event *e, const struct ctl_peer *who)
{
	if (!who)
		return;
	log_field(e, "VPNGW_ADMIN", "%s", who->user);
	log_field(e, "VPNGW_ADMIN_UID", "%u", who->uid);
	log_field(e, "VPNGW_ADMIN_PID", "%d", who->pid);
}

static void log_loaded(const struct gw *gw, const struct ctl_peer *who, const struct ctl_reload *r)
{
	char settings[180] = "";
	size_t n = 0, later = 0;
	struct log_event e;

	for (size_t i = 0; i < r->n_changes; i++) {
		later += r->change[i].remedy != NULL;
		if (n < sizeof(settings))
			n += (size_t)snprintf(settings + n, sizeof(settings) - n, "%s%s",
					      i ? ", " : "", r->change[i].setting);
		if (i < CHANGES_LOGGED)
			log_change(&r->change[i]);
	}
	for (size_t i = 0; i < r->n_messages; i++)
		log_warning("%s", r->message[i]);
	log_event_init(&e, LOG_NOTICE,
		       "%s has loaded the configuration: %zu settings differ, %zu of them hold "
		       "later; %u sessions go on",
		       who ? who->user : "SIGHUP", r->n_changes, later, ike_sessions(gw->ike));
	log_field(&e, "VPNGW_EVENT", "config-loaded");
	log_field(&e, "MESSAGE_ID", ID_CONFIG_LOADED);
	log_admin(&e, who);
	log_field(&e, "VPNGW_CHANGED", "%s", settings);
	log_send(&e);
}

static void log_refused(const struct ctl_peer *who, const struct ctl_reload *r)
{
	struct log_event e;

	for (size_t i = 0; i < r->n_messages; i++)
		log_err("%s", r->message[i]);
	log_event_init(&e, LOG_ERR,
		       "%s cannot load the configuration, see above: the former one goes on",
		       who ? who->user : "SIGHUP");
	log_field(&e, "VPNGW_EVENT", "config-refused");
	log_field(&e, "MESSAGE_ID", ID_CONFIG_REFUSED);
	log_admin(&e, who);
	log_send(&e);
}

/* ---- all together ---- */

static void commit(struct gw *gw, struct next *next)
{
	struct config *config = gw->config;
	struct creds *creds = gw->creds;
	struct trust *trust = gw->trust;
	struct pools *pools = gw->pools;

	if (next->psk_stays)
		config->psk = NULL;
	gw->config = TAKE_PTR(next->config);
	gw->creds = TAKE_PTR(next->creds);
	gw->trust = TAKE_PTR(next->trust);
	gw->pools = TAKE_PTR(next->pools);
	traffic_again(gw);
	ike_set_conf(gw->ike, &gw->config->ike, gw_now_us(gw));
	workers_set_keys(gw->workers, gw->creds, gw->trust);
	reload_nets_settle(gw, &next->nets);
	handover_reshape(gw);
	if (wants_ipv6(gw->config) && !wants_ipv6(config))
		gw_check_forwarding(false, AF_INET6, xfrm_forwarding(AF_INET6));
	next->nets_added = false;
	pools_free(pools);
	creds_free(creds);
	trust_free(trust);
	config_free(config);
	gw_settle(gw);
}

static void tell_systemd(bool begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (begin)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	else
		sd_notify(0, "READY=1");
}

int gw_reload(struct gw *gw, bool apply, const struct ctl_peer *who, struct ctl_reload *ret)
{
	struct next next = { 0 };
	int rc;

	if (apply)
		tell_systemd(true);
	rc = prepare(gw, &next, ret);

	if (rc == 0)
		rc = compare(gw, &next, ret);
	if (rc == 0 && apply) {
		size_t warnings = ret->n_messages;

		rc = make_pools(gw, &next);
		if (rc == 0)
			rc = ask_kernel(gw, &next, ret);
		if (rc == 0)
			commit(gw, &next);
		else if (rc == -EINVAL && warnings) /* what is wrong alone */
			ctl_reload_forget(ret, warnings);
	}
	drop(gw, &next);
	if (rc == -ENOMEM)
		rc = refuse(ret, "out of memory");
	if (apply && rc == 0)
		log_loaded(gw, who, ret);
	else if (apply)
		log_refused(who, ret);
	if (apply)
		tell_systemd(false);
	return rc;
}

int reload_on_hangup(sd_event_source *src, const struct signalfd_siginfo *si, void *userdata)
{
	struct ctl_reload r = { 0 };

	(void)src;
	(void)si;
	gw_reload(userdata, true, NULL, &r);
	ctl_reload_clear(&r);
	return 0;
}
