/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * firewall.c - hints from the ruleset, as nft(8) tells it.
 *
 * What a ruleset lets through only the kernel knows. So this says nothing but what is surely true: a
 * base chain whose policy is drop, in a table where no rule has to do with our ports or interface.
 * Rules that nft cannot tell in its own words (iptables' extensions) may be about anything: silence.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cleanup.h"
#include "spawn.h"
#include "text.h"

#define RULESET_MAX (16u << 20)
#define PATIENCE_S  10

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool same_table(const json_t *a, const json_t *b)
{
	return strcmp(text(a, "family"), text(b, "family")) == 0 &&
	       strcmp(text(a, "table"), text(b, "table")) == 0;
}

/* What is looked for: a port, alone or within a range, or a name. */
struct wanted {
	json_int_t port;
	const char *name; /* NULL: the port */
};

static bool mentions(const json_t *v, const struct wanted *w)
{
	const json_t *range = json_object_get(v, "range"), *member;
	const char *key;
	size_t i;

	if (json_is_integer(v))
		return !w->name && json_integer_value(v) == w->port;
	if (json_is_string(v))
		return w->name && strcmp(json_string_value(v), w->name) == 0;
	if (json_array_size(range) == 2 && !w->name &&
	    json_integer_value(json_array_get(range, 0)) <= w->port &&
	    w->port <= json_integer_value(json_array_get(range, 1)))
		return true;
	json_array_foreach (v, i, member)
		if (mentions(member, w))
			return true;
	json_object_foreach ((json_t *)(uintptr_t)v, key, member)
		if ((!w->name && strcmp(key, "xt") == 0) || mentions(member, w))
			return true;
	return false;
}

/* The rules and sets of the chain's table, other chains of it included: rules jump. */
static bool table_mentions(const json_t *all, const json_t *chain, const struct wanted *w)
{
	static const char *const kinds[] = { "rule", "set", "map" };
	const json_t *item, *o;
	size_t i;

	json_array_foreach (all, i, item)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			o = json_object_get(item, kinds[k]);
			if (!o || !same_table(o, chain))
				continue;
			if (mentions(json_object_get(o, "expr"), w) ||
			    mentions(json_object_get(o, "elem"), w))
				return true;
		}
	return false;
}

static void hint(const json_t *chain, struct findings *f, const char *what)
{
	char table[128], name[128];

	findings_add(f, FINDING_HINT,
		     "nftables: chain %s of table %s drops what no rule accepts, and none names %s",
		     text_escape(span_str(text(chain, "name")), name, sizeof(name)),
		     text_escape(span_str(text(chain, "table")), table, sizeof(table)), what);
}

static void look_at_input(const struct config *c, const json_t *all, const json_t *chain,
			  struct findings *f)
{
	const uint16_t port[] = {
		c && c->listen.n_isakmp ? c->listen.isakmp[0].port : 500,
		c && c->listen.n_isakmp_natt ? c->listen.isakmp_natt[0].port : 4500,
	};

	for (size_t i = 0; i < ARRAY_SIZE(port); i++) {
		const struct wanted w = { .port = port[i] };
		char what[32];

		if (table_mentions(all, chain, &w))
			continue;
		snprintf(what, sizeof(what), "UDP port %u", port[i]);
		hint(chain, f, what);
		findings_remedy(f, "nft add rule %s %s %s udp dport %u accept",
				text(chain, "family"), text(chain, "table"), text(chain, "name"),
				port[i]);
	}
}

static void look_at_forward(const struct config *c, const json_t *all, const json_t *chain,
			    struct findings *f)
{
	const struct wanted w = { .name = c ? c->tunnel.interface : "" };
	char what[64];

	if (!*w.name || table_mentions(all, chain, &w))
		return;
	snprintf(what, sizeof(what), "%s, where the clients are", w.name);
	hint(chain, f, what);
	findings_remedy(f, "nft add rule %s %s %s iifname %s accept, and the same with oifname",
			text(chain, "family"), text(chain, "table"), text(chain, "name"), w.name);
}

static void look_at_ruleset(const struct config *c, const json_t *all, struct findings *f)
{
	const json_t *item, *chain;
	size_t i;

	json_array_foreach (all, i, item) {
		chain = json_object_get(item, "chain");
		if (strcmp(text(chain, "policy"), "drop") != 0 ||
		    strcmp(text(chain, "type"), "filter") != 0 ||
		    strcmp(text(chain, "family"), "ip6") == 0)
			continue;
		if (strcmp(text(chain, "hook"), "input") == 0)
			look_at_input(c, all, chain, f);
		else if (strcmp(text(chain, "hook"), "forward") == 0)
			look_at_forward(c, all, chain, f);
	}
}

void check_firewall(const struct config *config, struct findings *f)
{
	static const char *const nft[] = { "nft", "-j", "list", "ruleset", NULL };
	_cleanup_free_ char *said = NULL;
	json_t *root = NULL;
	size_t n;
	int rc;

	findings_check(f, "firewall");
	if (geteuid() != 0) {
		findings_add(f, FINDING_UNKNOWN, "the firewall's rules only root can see");
		return;
	}
	rc = spawn_read(nft, true, RULESET_MAX, PATIENCE_S, &said, &n);
	if (rc == -ENOENT)
		return; /* a host without nft has no rules that it could tell */
	if (rc == 0)
		root = json_loadb(said, n, 0, NULL);
	if (root)
		look_at_ruleset(config, json_object_get(root, "nftables"), f);
	else
		findings_add(f, FINDING_UNKNOWN, "nft does not tell the firewall's rules");
	json_decref(root);
}
