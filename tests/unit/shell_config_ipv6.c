/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_config_ipv6.c - the configuration of IPv6 inside the tunnel. */
#include "config_try.h"

static void is_told(const char *text, const char *want, const char *name)
{
	struct attempt t = try_text(text, CONF_TO_RUN);

	is_str(t.told, want, name);
	try_end(&t);
}

static void test_network6(void)
{
	static const struct {
		const char *value, *told;
	} rows[] = {
		{ "10.99.0.0/16", "is no IPv6 network for hosts" },
		{ "ff02::/64", "is no IPv6 network for hosts" },
		{ "fe80::/64", "is no IPv6 network for hosts" },
		{ "::/64", "is no IPv6 network for hosts" },
		{ "::ffff:0:0/96", "is no IPv6 network for hosts" },
		{ "fd00:99::1/64", "is no IPv6 network for hosts" },
		{ "fd00:99::/97", "is out of bounds, expected /16 to /96" },
		{ "fc00::/8", "is out of bounds, expected /16 to /96" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128], want[128];
		struct attempt t;

		snprintf(text, sizeof(text), LEAST "network6 = %s\n", rows[i].value);
		snprintf(want, sizeof(want), "t.conf:3:12: network6: '%s' %s", rows[i].value,
			 rows[i].told);
		t = try_text(text, CONF_TO_RUN);
		ok(strncmp(t.told, want, strlen(want)) == 0, "%s: %s", rows[i].value, t.told);
		try_end(&t);
	}
}

static void test_values(void)
{
	char buf[ENDPOINT_STRLEN];
	struct attempt t =
		try_text(LEAST "network6 = fd00:99::/64\n[mode_cfg]\ndns6 = fd00:12::53\n"
			       "split_network = include 10.0.12.0/24, fd00:12::/64\n"
			       "[profile \"a\"]\nmatch_id = keyid:a\n"
			       "dns6 = fd00:13::53\nsplit_network = include ::/0\n"
			       "[profile \"b\"]\nmatch_id = keyid:b\n"
			       "[tunnel]\nesp_frag = 1280\n",
			 CONF_TO_RUN);
	const struct ike_modecfg *m = &t.c->ike.modecfg;

	is_str(t.told, "", "a pool with IPv6");
	is_str(prefix_str(&t.c->pool[0].network6, buf), "fd00:99::/64", "has its network");
	is_str(ipaddr_str(&m->dns6[0], buf), "fd00:12::53", "clients are told DNS servers");
	ok(m->n_split == 2 && m->split_net[0].addr.family == IP_V4, "networks of IPv4");
	is_str(prefix_str(&m->split_net[1], buf), "fd00:12::/64", "and of IPv6");
	m = &t.c->ike.profile[0].modecfg;
	is_str(ipaddr_str(&m->dns6[0], buf), "fd00:13::53", "those of a profile have others");
	is_str(prefix_str(&m->split_net[0], buf), "::/0", "networks as well");
	is_str(ipaddr_str(&t.c->ike.profile[1].modecfg.dns6[0], buf), "fd00:12::53",
	       "or the same ones");
	try_end(&t);
	is_told(LEAST "network6 = fd00:99::/64\n[tunnel]\nesp_frag = 1279\n",
		"t.conf:3:12: network6: with esp_frag = 1279 there is no IPv6, which needs packets "
		"of "
		"1280 bytes, expected no network6 or another esp_frag\n",
		"IPv6 has a least packet");
	is_told(LEAST "network6 = fd00:99::/64\n[tunnel]\ninterface = none\n", "",
		"it needs no interface");
	is_told(LEAST "network6 = fd00:99::/64\n[pool \"b\"]\nnetwork4 = 10.98.0.1\n"
		      "network6 = fd00:99::/64\n",
		"", "two pools may have one network: their IPv4 addresses differ");
}

int main(void)
{
	test_network6();
	test_values();
	return done();
}
