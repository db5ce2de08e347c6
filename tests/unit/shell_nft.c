/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_nft.c - the rules for nft(8) that a configuration asks for, letter by letter. */
#include "nft.h"

#include "config_try.h"

#define FIFTY LEAST "pool_size = 50\n"

#define CLAMP(match, mss) \
	"\t\t" match " tcp flags & (syn | rst) == syn tcp option maxseg size set " mss "\n"

/* With a second rule in each chain. */
#define RULES2(from, to, mss, from2, to2, mss2) \
	RULES_WITH(CLAMP(from, mss) CLAMP(from2, mss2), CLAMP(to, mss) CLAMP(to2, mss2))

#define RULES(from, to, mss) RULES_WITH(CLAMP(from, mss), CLAMP(to, mss))

#define RULES_WITH(from, to)                                                             \
	"table inet vpngw\n"                                                             \
	"delete table inet vpngw\n"                                                      \
	"\n"                                                                             \
	"table inet vpngw {\n"                                                           \
	"\tchain from_clients {\n"                                                       \
	"\t\ttype filter hook prerouting priority mangle; policy accept;\n" from "\t}\n" \
	"\n"                                                                             \
	"\tchain to_clients {\n"                                                         \
	"\t\ttype filter hook postrouting priority mangle; policy accept;\n" to "\t}\n"  \
	"}\n"

static void rules_are(const char *text, const char *want, const char *name)
{
	struct attempt t = try_text(text, CONF_TO_RUN);
	_cleanup_free_ char *got = NULL;
	size_t n;
	FILE *f = open_memstream(&got, &n);

	is_str(t.told, "", name);
	nft_print_rules(t.c, f);
	fclose(f);
	is_str(got, want, "  has these rules");
	try_end(&t);
}

static void mss_is(const char *tunnel, uint32_t want)
{
	char text[256];
	struct attempt t;

	snprintf(text, sizeof(text), FIFTY "[tunnel]\n%s\n", tunnel);
	t = try_text(text, CONF_TO_RUN);
	is_str(t.told, "", tunnel);
	is_int(nft_mss(&t.c->tunnel), want, "  is this MSS");
	try_end(&t);
}

static void test_rules(void)
{
	rules_are(FIFTY, "", "a configuration that says nothing");
	rules_are(FIFTY "[tunnel]\nmssclamp = off\nesp_frag = 552\n", "", "mssclamp = off");
	rules_are(FIFTY "[tunnel]\nmssclamp = 512\n",
		  RULES("iifname \"vpn0\"", "oifname \"vpn0\"", "512"), "an interface");
	rules_are(FIFTY "[tunnel]\nmssclamp = auto\ninterface = a-b_c.1\nesp_frag = 552\n"
			"[pool \"b\"]\nnetwork4 = 10.98.0.1\n",
		  RULES("iifname \"a-b_c.1\"", "oifname \"a-b_c.1\"", "512"),
		  "an interface of another name, auto");
	rules_are(FIFTY "[tunnel]\nmssclamp = auto\ninterface = none\n",
		  RULES("ip saddr { 10.99.99.1-10.99.99.50 }",
			"ip daddr { 10.99.99.1-10.99.99.50 }", "1350"),
		  "no interface: the pool's addresses");
	rules_are("[pool \"default\"]\nnetwork4 = 10.99.99.1\nnetwork6 = fd00:99::/64\n"
		  "[tunnel]\nmssclamp = auto\n",
		  RULES2("iifname \"vpn0\"", "oifname \"vpn0\"", "1350",
			 "iifname \"vpn0\" meta nfproto ipv6", "oifname \"vpn0\" meta nfproto ipv6",
			 "1330"),
		  "IPv6 has a longer header");
	rules_are("[pool \"default\"]\nnetwork4 = 10.99.99.1\nnetwork6 = fd00:99::/64\n"
		  "[tunnel]\nmssclamp = 1300\n",
		  RULES("iifname \"vpn0\"", "oifname \"vpn0\"", "1300"),
		  "with a number for all there is one rule for both");
	rules_are("[pool \"default\"]\nnetwork4 = 10.99.99.1\nnetwork6 = fd00:99::/80\n"
		  "pool_size = 1\n[pool \"b\"]\nnetwork4 = 10.99.99.2\nnetwork6 = fd00:99::/64\n"
		  "pool_size = 1\n[pool \"c\"]\nnetwork4 = 10.99.99.3\nnetwork6 = fd00:98::/64\n"
		  "pool_size = 1\n[tunnel]\nmssclamp = 1300\ninterface = none\n",
		  RULES2("ip saddr { 10.99.99.1, 10.99.99.2, 10.99.99.3 }",
			 "ip daddr { 10.99.99.1, 10.99.99.2, 10.99.99.3 }", "1300",
			 "ip6 saddr { fd00:99::/64, fd00:98::/64 }",
			 "ip6 daddr { fd00:99::/64, fd00:98::/64 }", "1300"),
		  "no interface: the pools' IPv6 networks, none in another");
	rules_are(FIFTY "[tunnel]\nmssclamp = 1200\ninterface = none\n"
			"[pool \"one\"]\nnetwork4 = 10.98.0.7\npool_size = 1\n"
			"[pool \"next\"]\nnetwork4 = 10.98.0.8\npool_size = 2\n",
		  RULES("ip saddr { 10.99.99.1-10.99.99.50, 10.98.0.7, 10.98.0.8-10.98.0.9 }",
			"ip daddr { 10.99.99.1-10.99.99.50, 10.98.0.7, 10.98.0.8-10.98.0.9 }",
			"1200"),
		  "no interface: those of all pools, one of a single address");
}

static void test_mss(void)
{
	mss_is("mssclamp = off", 0);
	mss_is("mssclamp = 216", 216);
	mss_is("mssclamp = 9000", 9000);
	mss_is("mssclamp = 1400\nesp_frag = 552", 1400);
	mss_is("mssclamp = auto", 1350);
	mss_is("mssclamp = auto\nesp_frag = 552", 512);
	mss_is("mssclamp = auto\nesp_frag = 256", 216);
	mss_is("mssclamp = auto\nesp_frag = 68", 216);
	mss_is("mssclamp = auto\nesp_frag = 1389", 1349);
	mss_is("mssclamp = auto\nesp_frag = 65535", 1350);
}

int main(void)
{
	test_rules();
	test_mss();
	return done();
}
