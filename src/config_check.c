/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config_check.c - what keys say against one another, and what is weak.
 *
 * Each check is silent when a value it needs was wrong by itself: that has been told.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "config_build.h"
#include "config_profile.h"
#include "ike/names.h"

struct check {
	struct conf_input *in;
	const struct config *c;
	enum conf_purpose purpose;
};

/* Where to point at: the value of the key, or the main file when it is a default. */
static struct conf_origin place(const struct conf_part *part, const char *section, const char *key)
{
	const struct conf_setting *s = conf_setting(part, section, key);

	return s->set ? s->at : (struct conf_origin){ 1, 1, 1 };
}

static struct conf_origin global(const struct check *k, const char *section, const char *key)
{
	return place(&k->in->global, section, key);
}

static bool is_set(const struct check *k, const char *section, const char *key)
{
	return conf_setting(&k->in->global, section, key)->set;
}

static bool is_good(const struct check *k, const char *section, const char *key)
{
	return !conf_setting(&k->in->global, section, key)->bad;
}

static bool is_named(const uint16_t *list, unsigned n, uint16_t value)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* ---- sockets ---- */

/* Two sockets that the kernel would not bind side by side. */
static bool collide(const struct endpoint *a, const struct endpoint *b)
{
	static const struct ipaddr any4 = { .family = IP_V4 }, any6 = { .family = IP_V6 };

	return a->port == b->port && a->addr.family == b->addr.family &&
	       (ipaddr_eq(&a->addr, &b->addr) || ipaddr_eq(&a->addr, &any4) ||
		ipaddr_eq(&b->addr, &any4) || ipaddr_eq(&a->addr, &any6) ||
		ipaddr_eq(&b->addr, &any6));
}

static void check_pair(const struct check *k, const struct endpoint *a, const struct endpoint *b,
		       struct conf_origin at)
{
	char x[ENDPOINT_STRLEN], y[ENDPOINT_STRLEN];

	if (collide(a, b))
		conf_mistake(k->in, at,
			     "%s and %s cannot both be listened on, expected one of them",
			     endpoint_str(a, x), endpoint_str(b, y));
}

static void check_listen(const struct check *k)
{
	const struct conf_listen *l = &k->c->listen;
	struct conf_origin at = global(k, "listen", "isakmp"),
			   natt = global(k, "listen", "isakmp_natt");

	if (!is_good(k, "listen", "isakmp") || !is_good(k, "listen", "isakmp_natt"))
		return;
	if (!l->n_isakmp)
		conf_mistake(k->in, at, "isakmp: the list is empty, expected an address and port");
	if (!l->n_isakmp_natt && k->c->ike.natt != IKE_NATT_OFF)
		conf_mistake(k->in, natt,
			     "isakmp_natt: the list is empty, expected an address and port, or "
			     "nat_traversal = off");
	for (size_t i = 0; i < l->n_isakmp; i++) {
		for (size_t j = 0; j < i; j++)
			check_pair(k, &l->isakmp[j], &l->isakmp[i], at);
		for (size_t j = 0; j < l->n_isakmp_natt; j++)
			check_pair(k, &l->isakmp[i], &l->isakmp_natt[j],
				   is_set(k, "listen", "isakmp_natt") ? natt : at);
	}
	for (size_t i = 0; i < l->n_isakmp_natt; i++)
		for (size_t j = 0; j < i; j++)
			check_pair(k, &l->isakmp_natt[j], &l->isakmp_natt[i], natt);
}

/* ---- lists that may not be empty ---- */

static void check_lists(const struct check *k)
{
	static const struct {
		const char *section, *key, *expected;
	} needed[] = {
		{ "phase1", "exchange_mode", "aggressive or main" },
		{ "phase1", "authentication",
		  "hybrid_rsa, xauth_rsa, xauth_psk, psk, rsasig or ecdsa" },
		{ "phase1", "proposal", "one such as aes256-sha256-modp2048" },
		{ "phase2", "proposal", "one such as aes256-sha256" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const struct conf_setting *s =
			conf_setting(&k->in->global, needed[i].section, needed[i].key);

		if (s->set && s->n == 0)
			conf_mistake(k->in, s->at, "%s: the list is empty, expected %s",
				     needed[i].key, needed[i].expected);
	}
}

/* ---- shared keys ---- */

static void check_shared_keys(const struct check *k)
{
	const struct ike_conf *ike = &k->c->ike;

	const char *psk = conf_psk_word(ike->auth, ike->n_auth);

	if (is_good(k, "phase1", "exchange_mode") && is_good(k, "phase1", "authentication") &&
	    psk && ike->n_modes && !is_named(ike->mode, ike->n_modes, XCHG_MAIN))
		conf_mistake(k->in, global(k, "phase1", "authentication"),
			     "authentication: %s without main mode, expected exchange_mode "
			     "to name main: in aggressive mode the key could be guessed",
			     psk);
}

/* Whose groups nobody asks for. */
static void check_groups(const struct check *k)
{
	const struct ike_conf *ike = &k->c->ike;

	if (!is_good(k, "phase1", "authentication") || !is_good(k, "auth", "groups") ||
	    !k->c->auth.n_groups)
		return;
	for (unsigned i = 0; i < ike->n_auth; i++)
		if (ike->auth[i] == AUTH_RSA_SIG || auth_is_ecdsa(ike->auth[i]))
			conf_mistake(
				k->in, global(k, "phase1", "authentication"),
				"authentication: %s with [auth] groups, expected one of them: "
				"a certificate alone does not say in which groups its owner is",
				ike->auth[i] == AUTH_RSA_SIG ? "rsasig" : "ecdsa");
		else if (ike->auth[i] == AUTH_PSK)
			conf_mistake(k->in, global(k, "phase1", "authentication"),
				     "authentication: psk with [auth] groups, expected one of "
				     "them: who has a shared key and nothing else is in no group");
}

/* ---- times ---- */

/* The last repetition would come after the login has been given up. */
static void check_times(const struct check *k)
{
	const struct ike_conf *ike = &k->c->ike;
	double wait = (double)ike->retransmit_us / 1e6, last = 0,
	       limit = (double)ike->auth_timeout_us / 1e6;
	bool timeout = is_good(k, "phase1", "auth_timeout");

	for (unsigned i = 0; i < ike->retransmit_tries; i++) {
		last += wait;
		wait *= ike->retransmit_factor;
	}
	if (timeout && is_good(k, "phase1", "retransmit") && last >= limit)
		conf_mistake(
			k->in,
			global(k, "phase1",
			       is_set(k, "phase1", "retransmit") ? "retransmit" : "auth_timeout"),
			"retransmit: the last repetition comes after %.0f seconds, expected it "
			"before auth_timeout of %.0f",
			last, limit);
	if (timeout && is_good(k, "auth", "deadline") && k->c->auth.deadline_s >= limit)
		conf_mistake(k->in,
			     is_set(k, "auth", "deadline") ? global(k, "auth", "deadline")
							   : global(k, "phase1", "auth_timeout"),
			     "deadline: a password check of %u seconds, expected it to end before "
			     "auth_timeout of %.0f",
			     k->c->auth.deadline_s, limit);
}

/* ---- tunnel ---- */

static void check_tunnel(const struct check *k)
{
	const struct conf_tunnel *t = &k->c->tunnel;

	if (is_good(k, "tunnel", "interface") && !t->interface[0] && t->esp_frag)
		conf_mistake(k->in, global(k, "tunnel", "esp_frag"),
			     "esp_frag: %u with interface = none, expected esp_frag = 0 or an "
			     "interface: plain policies do not cut packets before ESP",
			     t->esp_frag);
}

/* ---- pools ---- */

static uint64_t end_of(const struct pool_conf *p)
{
	return (uint64_t)p->first + p->size; /* one past the last address */
}

static bool pool_is_good(const struct conf_part *part)
{
	const struct conf_setting *first = conf_setting(part, "pool", "network4");

	return first->n && !first->bad && !conf_setting(part, "pool", "pool_size")->bad;
}

static void check_range(const struct check *k, const struct conf_part *part,
			const struct conf_pool *p)
{
	const struct conf_setting *first = conf_setting(part, "pool", "network4");
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	struct ipaddr last, from = ipaddr_v4(p->pool.first);

	if (first->n == 0 && !first->bad && k->purpose == CONF_TO_RUN)
		conf_mistake(k->in, first->set ? first->at : part->at,
			     "[pool \"%s\"] network4 is not set, expected the first address for "
			     "clients, as in network4 = 10.99.99.1",
			     part->name);
	if (!pool_is_good(part))
		return;
	if (end_of(&p->pool) > (uint64_t)UINT32_MAX + 1) {
		conf_mistake(k->in, first->at,
			     "network4: %u addresses from %s on go past 255.255.255.255, expected "
			     "another network4 or a smaller pool_size",
			     p->pool.size, ipaddr_str(&from, a));
		return;
	}
	last = ipaddr_v4((uint32_t)(end_of(&p->pool) - 1));
	for (uint64_t net = 127; net <= 224; net += 224 - 127)
		if (p->pool.first < net << 24 && end_of(&p->pool) > net << 24) {
			conf_mistake(k->in, first->at,
				     "network4: %s to %s holds addresses that no host can have, "
				     "expected another network4 or a smaller pool_size",
				     ipaddr_str(&from, a), ipaddr_str(&last, b));
			return;
		}
}

/* RFC 8200 5: the interface has no IPv6 below that. */
static void check_network6(const struct check *k, const struct conf_part *part,
			   const struct conf_pool *p)
{
	uint32_t esp_frag = k->c->tunnel.esp_frag;

	if (p->network6.addr.family && is_good(k, "tunnel", "esp_frag") && esp_frag &&
	    esp_frag < 1280)
		conf_mistake(k->in, place(part, "pool", "network6"),
			     "network6: with esp_frag = %u there is no IPv6, which needs packets "
			     "of 1280 bytes, expected no network6 or another esp_frag",
			     esp_frag);
}

/* A network's own and broadcast addresses are no addresses of hosts in it. */
static void check_netmask(const struct check *k, const struct conf_part *part,
			  const struct conf_pool *p)
{
	uint32_t mask = prefix_mask_v4(p->netmask_len), bad;
	char a[ENDPOINT_STRLEN], m[ENDPOINT_STRLEN];
	struct ipaddr addr, netmask = ipaddr_v4(mask);
	bool broadcast;

	if (!pool_is_good(part) || conf_setting(part, "pool", "netmask4")->bad ||
	    p->netmask_len > 30)
		return;
	bad = p->pool.first;
	broadcast = (bad & ~mask) != 0;
	if (broadcast)
		bad |= ~mask;
	if (bad >= end_of(&p->pool))
		return;
	addr = ipaddr_v4(bad);
	conf_mistake(k->in, place(part, "pool", "netmask4"),
		     "netmask4: %s is in the pool, and with %s the %s address, expected a pool "
		     "without it or 255.255.255.255",
		     ipaddr_str(&addr, a), ipaddr_str(&netmask, m),
		     broadcast ? "broadcast" : "network's own");
}

static void check_two_pools(const struct check *k, size_t i, size_t j)
{
	const struct conf_part *a = &k->in->pool[i], *b = &k->in->pool[j];
	const struct conf_pool *p = &k->c->pool[i], *q = &k->c->pool[j];
	const struct conf_setting *s = conf_setting(a, "pool", "store"),
				  *t = conf_setting(b, "pool", "store");

	if (pool_is_good(a) && pool_is_good(b) && p->pool.first < end_of(&q->pool) &&
	    q->pool.first < end_of(&p->pool))
		conf_mistake(k->in, conf_setting(b, "pool", "network4")->at,
			     "network4: pool \"%s\" overlaps pool \"%s\", expected addresses of "
			     "its own",
			     b->name, a->name);
	if (!s->bad && !t->bad && strcmp(p->store, q->store) != 0)
		conf_mistake(
			k->in, t->n ? t->line[0].at : b->at,
			"store: pool \"%s\" has another than pool \"%s\", expected one for all",
			b->name, a->name);
}

static void check_pools(const struct check *k)
{
	bool found = false;

	for (size_t i = 0; i < k->in->n_pools; i++) {
		const struct conf_part *part = &k->in->pool[i];

		found = found || strcmp(part->name, "default") == 0;
		check_range(k, part, &k->c->pool[i]);
		check_netmask(k, part, &k->c->pool[i]);
		check_network6(k, part, &k->c->pool[i]);
		for (size_t j = 0; j < i; j++)
			check_two_pools(k, j, i);
	}
	if (!found && k->purpose == CONF_TO_RUN)
		conf_mistake(k->in, (struct conf_origin){ 1, 1, 1 },
			     "[pool \"default\"] network4 is not set, expected the first address "
			     "for clients, as in network4 = 10.99.99.1");
}

void conf_check(struct conf_input *in, enum conf_purpose purpose, const struct config *c)
{
	struct check k = { .in = in, .c = c, .purpose = purpose };

	check_listen(&k);
	check_lists(&k);
	check_shared_keys(&k);
	check_groups(&k);
	check_times(&k);
	conf_check_radius(in, c);
	check_tunnel(&k);
	check_pools(&k);
	conf_check_profiles(in, purpose, c);
}

/* ---- what is weak ---- */

int conf_warn(struct config *c, const char *fmt, ...)
{
	char **more, *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	more = reallocarray(c->warnings, c->n_warnings + 1, sizeof(*more));
	if (!more) {
		free(text);
		return -ENOMEM;
	}
	c->warnings = more;
	more[c->n_warnings++] = text;
	return 0;
}

/* One sentence for each weakness of a key, with the first value that has it. */
static int warn(struct config *c, const char *key, const char *value, const char *weakness)
{
	_cleanup_free_ char *text = NULL;

	if (!weakness)
		return 0;
	if (asprintf(&text, "%s %s is weak: %s", key, value, weakness) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->n_warnings; i++) {
		const char *end = strstr(c->warnings[i], " is weak: ");

		if (end && strncmp(c->warnings[i], key, strlen(key)) == 0 &&
		    strcmp(end, strstr(text, " is weak: ")) == 0)
			return 0;
	}
	return conf_warn(c, "%s", text);
}

/* Asked part by part, because ike_p1_weakness() tells the worst only. */
static int warn_p1(struct config *c, const struct ike_p1 *p)
{
	static const char key[] = "[phase1] proposal";
	struct ike_p1 strong_cipher = *p;
	char buf[IKE_NAME_LEN];
	int rc;

	strong_cipher.enc = ENC_AES_CBC;
	ike_p1_str(p, buf);
	rc = warn(c, key, buf, ike_p1_weakness(p));
	if (rc == 0)
		rc = warn(c, key, buf, ike_p1_weakness(&strong_cipher));
	return rc < 0 ? rc : warn(c, key, buf, ike_group_weakness(p->group));
}

static int warn_p2(struct config *c, const struct ike_p2 *p)
{
	static const char key[] = "[phase2] proposal";
	struct ike_p2 strong_cipher = *p;
	char buf[IKE_NAME_LEN];
	int rc;

	strong_cipher.enc = ESP_ENC_AES_CBC;
	ike_p2_str(p, buf);
	rc = warn(c, key, buf, ike_p2_weakness(p));
	return rc < 0 ? rc : warn(c, key, buf, ike_p2_weakness(&strong_cipher));
}

/* Works, but a client that misses one answer is out. */
static int warn_life(struct config *c, const char *key, uint32_t life_s)
{
	_cleanup_free_ char *value = NULL;

	if (life_s >= 60)
		return 0;
	if (asprintf(&value, "%us", life_s) < 0) {
		value = NULL;
		return -ENOMEM;
	}
	return warn(c, key, value, "below a minute there is hardly time to rekey");
}

int conf_warn_weak(struct config *c)
{
	char buf[IKE_NAME_LEN];
	int rc = warn_life(c, "[phase1] lifetime", c->ike.p1_life_s);

	if (rc == 0)
		rc = warn_life(c, "[phase2] lifetime", c->ike.p2_life_s);

	if (rc == 0 && is_named(c->ike.auth, c->ike.n_auth, AUTH_PSK))
		rc = warn(
			c, "[phase1] authentication", "psk",
			"everybody who knows the shared key gets in, under whatever name, and can "
			"pose as the gateway");
	if (rc == 0 && is_named(c->ike.auth, c->ike.n_auth, AUTH_XAUTH_PSK))
		rc = warn(c, "[phase1] authentication", "xauth_psk",
			  "everybody who knows the shared key can pose as the gateway and collect "
			  "passwords");

	for (size_t i = 0; i < c->n_weak_certificates && rc == 0; i++)
		rc = c->weak_certificates[i] == CONF_WEAK_SHA1
			     ? warn(c, "[phase1] weak_certificates", "sha1",
				    "signatures under SHA-1 certificates can be forged")
			     : warn(c, "[phase1] weak_certificates", "rsa1024",
				    "keys of 1024 bits can be broken");

	if (rc == 0)
		rc = conf_warn_radius(c);
	for (size_t i = 0; i < c->ike.n_p1 && rc == 0; i++)
		rc = warn_p1(c, &c->ike.p1[i]);
	for (size_t i = 0; i < c->ike.n_p2 && rc == 0; i++)
		rc = warn_p2(c, &c->ike.p2[i]);
	for (size_t i = 0; i < c->ike.n_pfs && rc == 0; i++)
		rc = warn(c, "[phase2] pfs_group", ike_group_str(c->ike.pfs_group[i], buf),
			  ike_group_weakness(c->ike.pfs_group[i]));
	return rc < 0 ? rc : conf_warn_profiles(c);
}
