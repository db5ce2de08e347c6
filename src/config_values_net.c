/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_values_net.c - what a value may look like: addresses, networks, domains, interfaces. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_keys.h"

#define DOMAIN_MAX   253 /* RFC 1035 2.3.4, as text */
#define LABEL_MAX    63
#define JOINED_MAX   255 /* bytes of split_dns, of backup_servers */
#define ESP_FRAG_MIN 68  /* RFC 791 3.2: what every IPv4 link carries */
#define NETMASK_MIN  8   /* bits */

/* ---- addresses ---- */

static bool same_endpoint(const void *a, const void *b)
{
	return endpoint_eq(a, b);
}

static bool same_address(const void *a, const void *b)
{
	return ipaddr_eq(a, b);
}

static bool same_prefix(const void *a, const void *b)
{
	return prefix_eq(a, b);
}

int conf_parse_endpoint(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	struct endpoint e;

	if (endpoint_parse(a->text, &e) < 0 || e.port == 0)
		return conf_wrong(a, 0,
				  "'%s' is no address with a port, expected one such as "
				  "192.0.2.1:500 or [2001:db8::1]:500",
				  conf_shown(a->text, buf));
	return conf_append(a, &e, sizeof(e), same_endpoint);
}

/* An IPv4 address that a host can have. */
static int parse_host4(struct conf_arg *a, const char *example, struct ipaddr *ret)
{
	char buf[CONF_SHOWN];
	uint32_t v;

	if (ipaddr_parse(a->text, ret) < 0 || ret->family != IP_V4)
		return conf_wrong(a, 0, "'%s' is no IPv4 address, expected one such as %s",
				  conf_shown(a->text, buf), example);
	v = ipaddr_to_v4(ret);
	if (v >> 24 == 0 || v >> 24 == 127 || v >> 24 >= 224)
		return conf_wrong(a, 0, "'%s' is no address of a host, expected one such as %s",
				  conf_shown(a->text, buf), example);
	return 0;
}

int conf_parse_address4(struct conf_arg *a)
{
	struct ipaddr addr;
	int rc = parse_host4(a, "10.0.12.1", &addr);

	return rc < 0 ? rc : conf_append(a, &addr, sizeof(addr), same_address);
}

int conf_parse_first4(struct conf_arg *a)
{
	struct ipaddr addr;
	int rc = parse_host4(a, "10.99.99.1", &addr);

	if (rc < 0)
		return rc;
	*(uint32_t *)conf_field(a) = ipaddr_to_v4(&addr);
	return 0;
}

int conf_parse_netmask4(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	struct ipaddr addr;
	unsigned len = NETMASK_MIN;

	if (ipaddr_parse(a->text, &addr) < 0 || addr.family != IP_V4)
		return conf_wrong(a, 0, "'%s' is no netmask, expected one such as 255.255.255.255",
				  conf_shown(a->text, buf));
	while (len <= 32 && prefix_mask_v4(len) != ipaddr_to_v4(&addr))
		len++;
	if (len > 32)
		return conf_wrong(a, 0,
				  "'%s' is no netmask, expected 255.0.0.0 to 255.255.255.255 with "
				  "its bits in one run",
				  conf_shown(a->text, buf));
	*(uint8_t *)conf_field(a) = (uint8_t)len;
	return 0;
}

/* The kind stands once on each line, before the first network. */
int conf_parse_split_network(struct conf_arg *a)
{
	static const char *const kinds[] = {
		[IKE_SPLIT_INCLUDE] = "include", [IKE_SPLIT_LOCAL_LAN] = "local_lan"
	};
	struct ike_modecfg *m = (struct ike_modecfg *)((char *)conf_field(a) -
						       offsetof(struct ike_modecfg, split_net));
	size_t word = strcspn(a->text, " \t"), net = word + strspn(a->text + word, " \t");
	enum ike_split kind = m->split;
	char buf[CONF_SHOWN];
	struct prefix p;

	if (a->first) {
		kind = IKE_SPLIT_NONE;
		for (unsigned i = IKE_SPLIT_INCLUDE; i <= IKE_SPLIT_LOCAL_LAN; i++)
			if (strlen(kinds[i]) == word && memcmp(a->text, kinds[i], word) == 0)
				kind = (enum ike_split)i;
		if (kind == IKE_SPLIT_NONE)
			return conf_wrong(a, 0,
					  "no kind before the network, expected include NETWORK, "
					  "local_lan NETWORK or none");
		if (m->split != IKE_SPLIT_NONE && m->split != kind)
			return conf_wrong(a, 0, "%s after %s, expected networks of one kind",
					  kinds[kind], kinds[m->split]);
		m->split = kind;
	} else {
		net = 0;
	}
	if (prefix_parse(a->text + net, &p) < 0)
		return conf_wrong(a, net,
				  "'%s' is no network, expected one such as 10.0.12.0/24 with its "
				  "host bits zero",
				  conf_shown(a->text + net, buf));
	if (p.addr.family == IP_V6 && kind == IKE_SPLIT_LOCAL_LAN)
		return conf_wrong(
			a, net,
			"local_lan '%s': there is no form in which clients could be told, "
			"expected an IPv4 network",
			conf_shown(a->text + net, buf));
	return conf_append(a, &p, sizeof(p), same_prefix);
}

/* ---- domains and servers ---- */

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* RFC 1123 2.1, with the underscore that some sites use. */
static bool is_domain(const char *s)
{
	if (!*s || strlen(s) > DOMAIN_MAX)
		return false;
	for (;;) {
		size_t n = 0;

		while (is_label_char(s[n]))
			n++;
		if (n == 0 || n > LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
			return false;
		if (!s[n])
			return true;
		if (s[n] != '.')
			return false;
		s += n + 1;
	}
}

static int not_a_domain(struct conf_arg *a)
{
	char buf[CONF_SHOWN];

	return conf_wrong(a, 0, "'%s' is no domain, expected one such as example.net",
			  conf_shown(a->text, buf));
}

int conf_parse_domain(struct conf_arg *a)
{
	char **field = conf_field(a), *copy;

	if (!is_domain(a->text))
		return not_a_domain(a);
	copy = strdup(a->text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static bool joined_has(const char *list, const char *item)
{
	char buf[JOINED_MAX + 1];
	size_t pos = 0, at;

	while (list && *list && conf_next_item(list, &pos, buf, &at))
		if (strcmp(buf, item) == 0)
			return true;
	return false;
}

/* Lists that go out as one string, their items separated by commas. */
static int join(struct conf_arg *a)
{
	char **field = conf_field(a), buf[CONF_SHOWN], *more;
	bool empty = !*field || !**field;
	size_t n = strlen(a->text) + (empty ? 0 : strlen(*field) + 1);

	if (joined_has(*field, a->text))
		return conf_wrong(a, 0, "'%s' is in the list twice, expected it once",
				  conf_shown(a->text, buf));
	if (n > JOINED_MAX)
		return conf_wrong(a, 0, "'%s' makes the list %zu bytes long, expected at most %d",
				  conf_shown(a->text, buf), n, JOINED_MAX);
	more = realloc(*field, n + 1);
	if (!more)
		return -ENOMEM;
	if (empty)
		more[0] = '\0';
	else
		strcat(more, ",");
	strcat(more, a->text);
	*field = more;
	return 0;
}

int conf_parse_domains(struct conf_arg *a)
{
	return is_domain(a->text) ? join(a) : not_a_domain(a);
}

int conf_parse_servers(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	struct ipaddr addr;

	if (ipaddr_parse(a->text, &addr) < 0 && !is_domain(a->text))
		return conf_wrong(a, 0,
				  "'%s' is no server, expected a name such as vpn2.example.net, or "
				  "an address",
				  conf_shown(a->text, buf));
	return join(a);
}

/* ---- the tunnel's interface ---- */

int conf_parse_interface(struct conf_arg *a)
{
	static const char *const taken[] = { ".", "..", "lo", "all", "default" };
	size_t n = strlen(a->text);
	char buf[CONF_SHOWN], *field = conf_field(a);
	bool good = n <= a->key->max;

	if (strcmp(a->text, "none") == 0) {
		field[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		good = good && (is_label_char(a->text[i]) || a->text[i] == '.');
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		good = good && strcmp(a->text, taken[i]) != 0;
	if (!good)
		return conf_wrong(a, 0,
				  "'%s' is no name for an interface, expected letters, digits, "
				  "'.', '_', '-', at most %u, or none",
				  conf_shown(a->text, buf), (unsigned)a->key->max);
	memcpy(field, a->text, n + 1);
	return 0;
}

int conf_parse_esp_frag(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	uint64_t v;

	if (strcmp(a->text, "off") == 0)
		v = 0;
	else if (conf_number(a->text, a->key->max, &v) < 0 || (v && v < ESP_FRAG_MIN))
		return conf_wrong(a, 0, "'%s' is out of bounds, expected 0, or %d to %u bytes",
				  conf_shown(a->text, buf), ESP_FRAG_MIN, (unsigned)a->key->max);
	*(uint32_t *)conf_field(a) = (uint32_t)v;
	return 0;
}

int conf_parse_mssclamp(struct conf_arg *a)
{
	char buf[CONF_SHOWN];
	uint64_t v;

	if (strcmp(a->text, "off") == 0)
		v = 0;
	else if (strcmp(a->text, "auto") == 0)
		v = CONF_MSSCLAMP_AUTO;
	else if (conf_number(a->text, a->key->max, &v) < 0 || v < a->key->min)
		return conf_wrong(
			a, 0, "'%s' is out of bounds, expected auto, off, or %u to %u bytes",
			conf_shown(a->text, buf), (unsigned)a->key->min, (unsigned)a->key->max);
	*(uint32_t *)conf_field(a) = (uint32_t)v;
	return 0;
}
