/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_profile.c - profiles: for whom they are, which one of several, and what they change. */
#include "hostile_kit.h"
#include "ike/idmatch.h"
#include "ike/profile.h"

/* ---- patterns ---- */

static bool fits(const char *pattern, uint8_t type, const char *name)
{
	uint8_t id[300] = { type, 17, 1, 0xf4 };
	struct id_match m;
	size_t n = strlen(name);

	memcpy(id + 4, name, n);
	return !id_match_parse(span_str(pattern), &m) &&
	       id_match_fits(&m, (struct span){ id, n + 4 });
}

static void test_patterns(void)
{
	char many[300], stars[300];

	ok(fits("keyid:staff", ID_KEY_ID, "staff"), "a key ID fits its own name");
	ok(!fits("keyid:staff", ID_KEY_ID, "Staff"), "  and none in another case");
	ok(!fits("keyid:staff", ID_KEY_ID, "staff2") && !fits("keyid:staff", ID_KEY_ID, "taff") &&
		   !fits("keyid:staff", ID_KEY_ID, "staf"),
	   "  and no longer or shorter one");
	ok(!fits("keyid:staff", ID_FQDN, "staff") && !fits("fqdn:staff", ID_KEY_ID, "staff"),
	   "  and none of another type");
	ok(!fits("keyid:*", ID_KEY_ID, ""), "an empty identity fits nothing");
	ok(fits("keyid:*", ID_KEY_ID, "*"), "a star fits anything");
	ok(fits("fqdn:*.Example.net", ID_FQDN, "laptop.EXAMPLE.net"),
	   "a domain fits in any case, behind a star");
	ok(!fits("fqdn:*.example.net", ID_FQDN, "example.net"), "  with what else it has");
	ok(!fits("fqdn:*.example.net", ID_FQDN, "laptop.example.net.evil.org"),
	   "  and nothing behind it");
	ok(fits("user_fqdn:?*@example.net", ID_USER_FQDN, "a@example.net") &&
		   !fits("user_fqdn:?*@example.net", ID_USER_FQDN, "@example.net"),
	   "a question mark is one byte");
	ok(fits("keyid:a*b*c", ID_KEY_ID, "abbcbc") && !fits("keyid:a*b*c", ID_KEY_ID, "abbcb"),
	   "a star takes what the rest leaves");
	ok(fits("asn1dn:/CN=al*", ID_DER_ASN1_DN,
		"\x30\x10\x31\x0e\x30\x0c\x06\x03\x55\x04\x03\x0c\x05"
		"Alice") &&
		   !fits("asn1dn:/CN=al*", ID_KEY_ID, "/CN=alice"),
	   "a subject is compared by its parts");
	ok(fits("keyid:**", ID_KEY_ID, "x") && fits("keyid:x**", ID_KEY_ID, "x"),
	   "two stars are one");
	memset(many, 'a', 255);
	many[255] = '\0';
	strcpy(stars, "keyid:");
	for (unsigned i = 0; i < 60; i++)
		strcat(stars, "*a");
	strcat(stars, "b");
	ok(!fits(stars, ID_KEY_ID, many), "many stars end as well");
}

static bool is_wrong(const char *text)
{
	struct id_match m;

	return id_match_parse(span_str(text), &m) != NULL;
}

static void test_not_patterns(void)
{
	char text[200] = "keyid:";

	ok(is_wrong("staff") && is_wrong("address:192.0.2.1") && is_wrong("keyid") && is_wrong(""),
	   "a pattern has one of the types");
	ok(is_wrong("keyid:") && is_wrong("keyid:a\tb"), "  and a text");
	ok(is_wrong("asn1dn:CN=*") && !is_wrong("asn1dn:/CN=*"), "  a subject's has parts");
	memset(text + 6, 'x', LIMIT_ID_PATTERN);
	ok(!is_wrong(text), "  of so many bytes");
	strcat(text, "x");
	ok(is_wrong(text), "  and no more");
}

/* ---- which one ---- */

static char *const g_staff[] = { (char *)(uintptr_t) "staff" };
static char *const g_guests[] = { (char *)(uintptr_t) "guests", (char *)(uintptr_t) "visitors" };
static struct id_match m_staff, m_any;
static struct ike_profile profile[5];

static void prepare(void)
{
	id_match_parse(span_str("keyid:staff"), &m_staff);
	id_match_parse(span_str("keyid:*"), &m_any);
	kit_prepare();
	g.no_crypto = c.no_crypto = true;
	for (unsigned i = 0; i < ARRAY_SIZE(profile); i++)
		profile[i] = (struct ike_profile){ .pool = "other", .modecfg = g.conf.modecfg };
	g.conf.profile = profile;
	g.conf.n_profiles = 0;
}

static void add(const char *name, const struct id_match *id, char *const *group, unsigned n_groups)
{
	struct ike_profile *p = &profile[g.conf.n_profiles++];

	p->name = name;
	p->id = id;
	p->n_ids = id != NULL;
	p->group = group;
	p->n_groups = (uint8_t)n_groups;
}

static const char in_staff[][LIMIT_GROUP_NAME + 1] = { "wheel", "staff" };
static const char in_guests[][LIMIT_GROUP_NAME + 1] = { "visitors" };
static const char in_both[][LIMIT_GROUP_NAME + 1] = { "guests", "staff" };

static const char *chosen(const char *keyid, const char (*groups)[LIMIT_GROUP_NAME + 1], unsigned n)
{
	const struct ike_groups in = { .name = groups, .n = n };
	uint8_t id[64] = { ID_KEY_ID };
	const struct ike_profile *p;
	static char buf[80];
	int rc;

	memcpy(id + 4, keyid, strlen(keyid));
	rc = profile_choose(&g.conf, (struct span){ id, strlen(keyid) + 4 }, groups ? &in : NULL,
			    &p);
	snprintf(buf, sizeof(buf), "%s%s", rc < 0 ? "not " : "", p ? p->name : "none");
	return buf;
}

static void test_precedence(void)
{
	prepare();
	is_str(chosen("staff", in_staff, 2), "none", "without profiles there is none");
	add("anybody", &m_any, NULL, 0);
	add("guests", NULL, g_guests, 2);
	add("also-guests", NULL, g_guests, 1);
	add("staff", &m_staff, g_staff, 1);
	is_str(chosen("staff", in_staff, 2), "staff", "identity and group go first");
	is_str(chosen("staff", in_both, 2), "staff", "  before the group alone");
	is_str(chosen("staff", NULL, 0), "not staff", "who asks for it and is in no group is out");
	is_str(chosen("staff", in_guests, 1), "not staff", "  whatever else the user is in");
	is_str(chosen("other", in_guests, 1), "guests", "the group goes before the identity");
	is_str(chosen("other", in_both, 2), "guests", "the first of two with one group");
	is_str(chosen("other", in_staff, 2), "anybody", "the identity is the last");
	is_str(chosen("other", NULL, 0), "anybody", "  and asks for no group");
	id_match_parse(span_str("keyid:boss"), &m_any);
	is_str(chosen("other", in_staff, 2), "none", "a group alone is not what both ask for");
	add("staff-guests", &m_staff, g_guests, 2);
	is_str(chosen("staff", in_guests, 1), "staff-guests",
	       "one identity has several profiles by groups");
	is_str(chosen("staff", in_both, 2), "staff", "  of which the first that fits is chosen");
	is_str(chosen("staff", NULL, 0), "not staff", "  or the first is missed");
	ok(profile_by_id(&g.conf, (struct span){ (const uint8_t *)"\x0b\0\0\0staff", 9 }) ==
		   &profile[3],
	   "before the login it is the first of the identity");
	gate_stop(&g);
}

/* ---- what it changes ---- */

static void with_profile(bool group)
{
	prepare();
	add("lab", &m_staff, group ? g_staff : NULL, group);
	profile[0].modecfg.dns[0] = ipaddr_v4(0x0a0b0c0d);
	profile[0].modecfg.split = IKE_SPLIT_INCLUDE;
	prefix_parse("10.50.0.0/24", &profile[0].modecfg.split_net[0]);
	profile[0].modecfg.n_split = 1;
	profile[0].limits = (struct ike_limits){ .session_us = S(7200), .idle_us = S(300) };
}

static void test_changes(void)
{
	static const uint16_t dns[] = { INTERNAL_IP4_DNS };
	const struct ike_sa *sa;
	struct rd r;
	struct ike_attr a;

	with_profile(false);
	g.hold = GATE_HOLD(LEASE);
	gate_start(&g);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(g.n_jobs == 1 && strcmp(g.job[0].pool, "other") == 0, "its pool gives the address");
	gate_do_all(&g);
	g.hold = 0;
	ok(client_open(&c, gate_only(&g)) == 0, "the login goes on");
	client_to(&c, &g, client_ack(&c));
	client_to(&c, &g, client_config(&c, dns, 1));
	ok(client_open(&c, gate_only(&g)) == 0, "the client asks for its configuration");
	r = rd_from(c.cfg.attrs);
	ok(ike_attr_next(&r, &a) && span_eq(a.data, hex("0a0b0c0d")), "it is the profile's");
	client_to(&c, &g, client_config(&c, (const uint16_t[]){ INTERNAL_IP4_ADDRESS }, 1));
	ok(client_open(&c, gate_only(&g)) == 0 && client_take_address(&c), "with an address");
	client_to(&c, &g, client_quick1(&c, nil, hex("04000000 0a010000 ffff0000")));
	is_int(gate_count(&g, FX_CHILD_ADD, IKE_R__COUNT), 0, "a network of others is refused");
	ok(client_quick(&c, &g) && g.n_pairs == 1 && g.pair[0].fx.n_nets == 1 &&
		   g.pair[0].fx.nets[0].len == 24,
	   "a wish for everything gets its networks alone");
	sa = client_sa(&c, &g);
	is_str(sa->profile, "lab", "the session knows its profile");
	is_str(gate_last(&g, FX_UP) ? "up" : "", "up", "it is up");
	is_int((long long)ike_ends_at(g.ike, sa), (long long)(g.now + S(7200)), "its limit holds");
	gate_pass(&g, S(300));
	is_int(gate_count(&g, FX_DOWN, IKE_R_IDLE), 1, "and so does its idle limit");
	kit_end("a profile");
}

static void test_refusal(void)
{
	const struct ike_sa *sa;

	with_profile(true);
	gate_start(&g);
	client_phase1(&c, &g);
	client_to(&c, &g, client_credentials(&c, span_str("alice"), span_str("wonderland")));
	ok(client_open(&c, gate_only(&g)) == 0 && c.cfg.type == CFG_SET,
	   "a user in no group of the profile is told so");
	sa = client_sa(&c, &g);
	ok(sa && sa->state == IKE_ST_REFUSING && sa->profile && strcmp(sa->profile, "lab") == 0,
	   "  for the profile that is on record");
	is_int(gate_count(&g, FX_DOWN, IKE_R_PROFILE), 1, "  and in the journal");
	ok(gate_count(&g, FX_LEASE, IKE_R__COUNT) == 0 && g.leases == 0, "  without an address");
	is_str(ike_reason_key(IKE_R_PROFILE), "profile", "  with a word for it");
	kit_end("a refusal");

	with_profile(true);
	g.groups = (struct ike_groups){ .name = in_staff, .n = 2 };
	gate_start(&g);
	ok(client_up(&c, &g), "a user in one does");
	kit_end("a member");

	with_profile(true);
	c.group_name = "else";
	gate_start(&g);
	ok(client_up(&c, &g) && !client_sa(&c, &g)->profile, "who asks for nothing has none");
	kit_end("no profile");
}

/* ---- how many ---- */

static void test_sessions(void)
{
	static struct client other;

	with_profile(false);
	profile[0].limits.sessions_per_user = 1;
	gate_start(&g);
	ok(client_up(&c, &g), "the first session of a user");
	kit_another(&other, "192.0.2.77:500");
	ok(!client_up(&other, &g), "the profile allows no second");
	is_int(gate_count(&g, FX_DOWN, IKE_R_TOO_MANY_OF_USER), 1, "  and that is why");
	gate_pass(&g, S(10));
	other.group_name = "else";
	ok(client_up(&other, &g), "what holds without a profile does");
	kit_end("sessions per user");
}

/* ---- later ---- */

static void test_later(void)
{
	static uint8_t rec[65536];
	const struct ike_sa *sa;
	struct sess_id id;
	size_t n;

	with_profile(true);
	g.groups = (struct ike_groups){ .name = in_staff, .n = 2 };
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	ok(ike_save(g.ike, client_sa(&c, &g)->id, rec, sizeof(rec), &n) == 0, "it is saved");
	gate_stop(&g);
	gate_start(&g);
	ok(ike_restore(g.ike, (struct span){ rec, n }, g.now, &id) == 0, "and restored");
	sa = client_sa(&c, &g);
	ok(sa && sa->profile && strcmp(sa->profile, "lab") == 0, "  with its profile");
	is_int((long long)ike_ends_at(g.ike, sa), (long long)(sa->since_us + S(7200)),
	       "  and what holds in it");
	profile[0].name = "renamed";
	ok(profile_of(&g.conf, sa) == NULL && profile_modecfg(&g.conf, sa) == &g.conf.modecfg &&
		   strcmp(profile_pool(&g.conf, sa), "default") == 0 &&
		   profile_limits(&g.conf, sa).session_us == 0,
	   "a profile that is no more leaves what holds for all");
	gate_stop(&g);
}

static void test_renewal(void)
{
	static struct client again;

	with_profile(true);
	g.groups = (struct ike_groups){ .name = in_staff, .n = 2 };
	gate_start(&g);
	if (!client_up(&c, &g))
		abort();
	kit_another(&again, "192.0.2.9:500");
	again.seed = 99;
	ok(client_xauth(&again, &g) && ike_counter(g.ike, IKE_C_RENEWED) == 1,
	   "its client renews phase 1");
	is_str(client_sa(&again, &g)->profile, "lab", "  and keeps the profile");
	g.groups.n = 0;
	kit_another(&again, "192.0.2.9:500");
	again.seed = 100;
	ok(!client_login(&again, &g) && gate_count(&g, FX_DOWN, IKE_R_PROFILE) == 1 &&
		   ike_sessions(g.ike) == 1,
	   "not when the user has left the group");
	kit_end("renewal");
}

int main(void)
{
	test_patterns();
	test_not_patterns();
	test_precedence();
	test_changes();
	test_refusal();
	test_sessions();
	test_later();
	test_renewal();
	return done();
}
