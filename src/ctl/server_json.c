/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server_json.c - the values of io.vpngw as JSON; the schema is in server_idl.c. */
#include <stdio.h>

#include "cleanup.h"
#include "ctl/server_private.h"

static void put_addr(struct jsonw *w, const char *key, const struct ipaddr *a)
{
	char text[ENDPOINT_STRLEN];

	jsonw_text(w, key, a->family == IP_NONE ? NULL : ipaddr_str(a, text));
}

static void put_prefix(struct jsonw *w, const char *key, const struct prefix *p)
{
	char text[ENDPOINT_STRLEN];

	jsonw_text(w, key, p->addr.family == IP_NONE ? NULL : prefix_str(p, text));
}

static void put_endpoint(struct jsonw *w, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_STRLEN];

	jsonw_text(w, key, e->addr.family == IP_NONE ? NULL : endpoint_str(e, text));
}

static void put_spi(struct jsonw *w, const char *key, uint32_t spi)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", spi);
	jsonw_text(w, key, text);
}

/* Seconds that remain; 0 means that nothing expires. */
static void put_expiry(struct jsonw *w, uint64_t seconds)
{
	if (seconds)
		jsonw_u64(w, "expires_in_s", seconds);
	else
		jsonw_null(w, "expires_in_s");
}

static void put_port(struct jsonw *w, const char *key, uint16_t port)
{
	if (port)
		jsonw_u64(w, key, port);
	else
		jsonw_null(w, key);
}

static void put_child(struct jsonw *w, const struct ctl_child *c)
{
	jsonw_open(w, NULL, '{');
	put_spi(w, "spi_in", c->spi_in);
	put_spi(w, "spi_out", c->spi_out);
	jsonw_text(w, "state", c->state);
	jsonw_text(w, "proposal", c->proposal);
	jsonw_text(w, "networks", c->networks);
	jsonw_text(w, "protocol", c->protocol);
	put_port(w, "client_port", c->client_port);
	put_port(w, "port", c->port);
	jsonw_bool(w, "encap", c->encap);
	jsonw_bool(w, "ipcomp", c->ipcomp);
	jsonw_u64(w, "bytes_in", c->bytes_in);
	jsonw_u64(w, "bytes_out", c->bytes_out);
	jsonw_u64(w, "packets_in", c->packets_in);
	jsonw_u64(w, "packets_out", c->packets_out);
	jsonw_u64(w, "age_s", c->age_s);
	put_expiry(w, c->expires_in_s);
	jsonw_close(w, '}');
}

void ctl_json_session(struct jsonw *w, const struct ctl_session *s, bool with_children)
{
	jsonw_open(w, NULL, '{');
	jsonw_text(w, "session", s->id);
	jsonw_text(w, "user", s->user);
	jsonw_text(w, "state", s->state);
	put_addr(w, "address", &s->address);
	put_addr(w, "address6", &s->address6);
	jsonw_text(w, "pool", s->pool);
	put_endpoint(w, "peer", &s->peer);
	put_endpoint(w, "local", &s->local);
	jsonw_text(w, "client", s->client);
	jsonw_text(w, "group", s->group);
	jsonw_text(w, "profile", s->profile);
	jsonw_text(w, "proposal", s->proposal);
	jsonw_text(w, "exchange_mode", s->exchange_mode);
	jsonw_text(w, "authentication", s->authentication);
	jsonw_text(w, "nat", s->nat);
	jsonw_text(w, "fragments", s->fragments);
	jsonw_text(w, "cookies", s->cookies);
	jsonw_time(w, "since", s->since_s);
	jsonw_u64(w, "idle_s", s->idle_s);
	jsonw_u64(w, "heard_s", s->heard_s);
	jsonw_u64(w, "unanswered", s->unanswered);
	put_expiry(w, s->expires_in_s);
	jsonw_u64(w, "bytes_in", s->bytes_in);
	jsonw_u64(w, "bytes_out", s->bytes_out);
	if (with_children) {
		jsonw_open(w, "children", '[');
		for (uint32_t i = 0; i < s->n_children && i < ARRAY_SIZE(s->child); i++)
			put_child(w, &s->child[i]);
		jsonw_close(w, ']');
	}
	jsonw_close(w, '}');
}

void ctl_json_lease(struct jsonw *w, const struct ctl_lease *l)
{
	jsonw_open(w, NULL, '{');
	put_addr(w, "address", &l->address);
	jsonw_text(w, "pool", l->pool);
	jsonw_text(w, "user", l->user);
	jsonw_bool(w, "leased", l->leased);
	jsonw_bool(w, "pinned", l->pinned);
	jsonw_time(w, "granted", l->granted_s);
	jsonw_time(w, "released", l->released_s);
	jsonw_close(w, '}');
}

static void put_pools(struct jsonw *w, const struct ctl_status *s)
{
	jsonw_open(w, "pools", '[');
	for (uint32_t i = 0; i < s->n_pools && i < ARRAY_SIZE(s->pool); i++) {
		const struct ctl_pool *p = &s->pool[i];

		jsonw_open(w, NULL, '{');
		jsonw_text(w, "name", p->name);
		put_addr(w, "first", &p->first);
		put_addr(w, "last", &p->last);
		put_prefix(w, "network6", &p->network6);
		jsonw_u64(w, "size", p->size);
		jsonw_u64(w, "leased", p->leased);
		jsonw_u64(w, "kept", p->kept);
		jsonw_u64(w, "draining", p->draining);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

void ctl_json_status(struct jsonw *w, const struct ctl_status *s, uint64_t now_s)
{
	jsonw_text(w, "version", s->version);
	jsonw_text(w, "config_file", s->config_file);
	jsonw_text(w, "interface", s->interface);
	jsonw_text(w, "certificate", s->certificate);
	jsonw_text(w, "subject", s->subject);
	jsonw_time(w, "cert_expires", s->cert_expires_s);
	jsonw_text(w, "authd", s->authd);
	jsonw_time(w, "since", s->since_s);
	if (s->since_s && s->since_s <= now_s)
		jsonw_u64(w, "uptime_s", now_s - s->since_s);
	else
		jsonw_null(w, "uptime_s");
	jsonw_u64(w, "sessions", s->sessions);
	jsonw_u64(w, "half_open", s->half_open);
	jsonw_u64(w, "incomplete", s->incomplete);
	put_pools(w, s);
	jsonw_open(w, "counters", '{');
	for (uint32_t i = 0; i < s->n_counters && i < ARRAY_SIZE(s->counter); i++)
		jsonw_u64(w, s->counter[i].name, s->counter[i].value);
	jsonw_close(w, '}');
	jsonw_open(w, "warnings", '[');
	for (uint32_t i = 0; i < s->n_warnings; i++)
		jsonw_text(w, NULL, s->warning[i]);
	jsonw_close(w, ']');
}

void ctl_json_error(struct jsonw *w, const char *name, const char *what)
{
	char full[64];

	snprintf(full, sizeof(full), "io.vpngw.%s", name);
	jsonw_open(w, NULL, '{');
	jsonw_text(w, "error", full);
	jsonw_open(w, "parameters", '{');
	jsonw_text(w, "schema_version", CTL_SCHEMA);
	jsonw_text(w, "what", what);
	varlink_end(w);
}
