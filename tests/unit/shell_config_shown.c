/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_config_shown.c - the table of keys, the installed vpngw.conf, vpngw.conf(5) and what
 * --print-config shows say the same. Runs in the top directory of the project.
 */
#include "config_try.h"

#define INSTALLED "etc/vpngw/vpngw.conf"
#define MANUAL    "man/vpngw.conf.5"

static char *slurp(const char *path)
{
	char *text = NULL;
	size_t n;

	ok(conf_file_read(path, 1 << 20, &text, &n) == 0, "%s is there", path);
	return text;
}

/* The next line, its end cut off; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*text = end + (*end != '\0');
	*end = '\0';
	return line;
}

static const char *after(const char *s, const char *start)
{
	size_t n = strlen(start);

	return strncmp(s, start, n) == 0 ? s + n : NULL;
}

/* The word at s: letters, digits and '_'. */
static const char *word(const char *s, char buf[static 64])
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	snprintf(buf, 64, "%.*s", (int)n, s);
	return buf;
}

/* ---- what is shown ---- */

static char *shown(const struct conf_input *in)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_print_input(in, f);
	fclose(f);
	return text;
}

/* Cuts the comments, in which places differ. */
static void cut_comments(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == ' ' && s[1] == '#')
			s += strcspn(s, "\n");
		else
			*out++ = *s++;
	}
	*out = '\0';
}

static void round_trip(const char *text, const char *name)
{
	struct attempt a = try_text(text, CONF_TO_SHOW), b;
	char *first = shown(a.in), *second;

	b = try_text(first, CONF_TO_SHOW);
	is_str(b.told, "", name);
	second = shown(b.in);
	cut_comments(first);
	cut_comments(second);
	is_str(second, first, "  and read again, it shows the same");
	ok(memcmp(a.c->ike.p1, b.c->ike.p1, sizeof(a.c->ike.p1)) == 0 &&
		   a.c->ike.n_p2 == b.c->ike.n_p2 &&
		   a.c->ike.modecfg.n_split == b.c->ike.modecfg.n_split &&
		   a.c->ike.modecfg.n_dns == b.c->ike.modecfg.n_dns &&
		   a.c->ike.n_pfs == b.c->ike.n_pfs && a.c->n_pools == b.c->n_pools &&
		   a.c->ike.auth_timeout_us == b.c->ike.auth_timeout_us &&
		   a.c->listen.n_isakmp == b.c->listen.n_isakmp &&
		   memcmp(&a.c->tunnel, &b.c->tunnel, sizeof(a.c->tunnel)) == 0,
	   "  and means the same");
	free(first);
	free(second);
	try_end(&a);
	try_end(&b);
}

static void test_print(void)
{
	struct attempt t =
		try_text("[phase1]\nproposal = aes128-sha1-modp2048, aes256-sha1-ecp256\n"
			 "proposal = 3des-sha1-modp2048\n[mode_cfg]\ndns4 =\n",
			 CONF_TO_SHOW);
	_cleanup_free_ char *text = shown(t.in);

	is_str(t.told, "", "a configuration can be shown without a pool");
	ok(strstr(text, "\nproposal = aes128-sha1-modp2048, aes256-sha1-ecp256 # t.conf:2\n"
			"proposal = 3des-sha1-modp2048                    # t.conf:3\n"),
	   "each line of a list stands with its place");
	ok(strstr(text, "\nlifetime = 24h                                   # default\n"),
	   "defaults say that they are");
	ok(strstr(text, "\ndns4 =                                           # t.conf:5\n"),
	   "a list that was emptied says where");
	try_end(&t);
	round_trip("", "an empty file");
	round_trip(LEAST
		   "[mode_cfg]\nsplit_network = local_lan 10.0.0.0/8, 192.168.0.0/16\n"
		   "split_network = local_lan 172.16.0.0/12\n[tunnel]\ninterface = none\n"
		   "[phase2]\npfs_group = 14\nproposal = aes256-sha1,aes128-sha1\n"
		   "[pool \"b\"]\nnetwork4 = 10.98.0.1\nstore = none\n[auth]\nfail_limit = off\n",
		   "a file with everything but names");
}

/* ---- not yet supported ---- */

static void refused(const struct conf_key *k, const char *value, const char *w, const char *later)
{
	char text[256], want[512];
	struct attempt t;

	snprintf(text, sizeof(text), "[%s%s]\n%s = %s\n", k->section,
		 conf_key_named(k) ? " \"default\"" : "", k->key, value);
	snprintf(want, sizeof(want), "t.conf:2:%zu: %s%s%s is not yet supported: %s; remove it\n",
		 strlen(k->key) + 4, k->key, *w ? " " : "", w, later);
	t = try_text(text, CONF_TO_SHOW);
	is_str(t.told, want, "a key or word of a later version is refused");
	try_end(&t);
}

static void accepted(const struct conf_key *k, const char *value)
{
	char text[256];
	struct attempt t;

	snprintf(text, sizeof(text), "[%s%s]\n%s = %s\n", k->section,
		 conf_key_named(k) ? " \"default\"" : "", k->key, value);
	t = try_text(text, CONF_TO_SHOW);
	is_str(t.told, "", k->key);
	try_end(&t);
}

static void test_later(void)
{
	const struct conf_key *pkcs11 = &conf_keys[conf_key_find("gateway", "private_key")];

	for (size_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		accepted(k, k->dflt);
		for (const struct conf_word *w = k->words; w && w->word; w++)
			if (w->later)
				refused(k, w->word, w->word, w->later);
		if (k->parse == conf_parse_later_seconds)
			refused(k, "7s", "", k->later);
	}
	refused(pkcs11, "pkcs11:token=vpn;object=gw",
		"pkcs11:", "it will use a key that stays in a token or HSM");
	for (size_t i = 0; i < conf_n_sections; i++) {
		const struct conf_section *s = &conf_sections[i];
		char text[128], want[256];
		struct attempt t;

		if (!s->later)
			continue;
		snprintf(text, sizeof(text), "[%s%s]\nanything = 1\n", s->name,
			 s->named ? " \"x\"" : "");
		snprintf(want, sizeof(want),
			 "t.conf:1:1: [%s] is not yet supported: %s; remove it\n", s->name,
			 s->later);
		t = try_text(text, CONF_TO_SHOW);
		is_str(t.told, want, "a section of a later version is refused once");
		try_end(&t);
	}
	refused(&conf_keys[conf_key_find("accounting", "interim_interval")], "0s", "",
		"it will be the time between reports on a session");
}

static void test_later_mistakes(void)
{
	struct attempt t = try_text("[accounting]\ninterim_interval = 20\n", CONF_TO_SHOW);

	is_str(t.told,
	       "t.conf:2:20: interim_interval: '20' has no unit, expected one such as 20s, 5m, 24h "
	       "or 30d\n",
	       "a mistake in such a key is told as one");
	try_end(&t);
}

/* ---- the installed file ---- */

/* The line is "#key = default" of the row that is next; the comment above says what it does. */
static void installed_key(const char *line, const char *section, size_t *next, const char *comment)
{
	char key[64], want[512];
	const struct conf_key *k = &conf_keys[*next];

	word(line + 1, key);
	if (!ok(conf_key_find(section, key) == *next,
		INSTALLED ": [%s] %s is the next of the table", section, key))
		return;
	*next += 1;
	snprintf(want, sizeof(want), "#%s =%s%s", key, *k->dflt ? " " : "", k->dflt);
	is_str(line, want, "  with its default");
	ok(strstr(comment, k->help) != NULL, "  and its explanation");
	if (k->later) {
		snprintf(want, sizeof(want), "# Not yet supported: %s.\n", k->later);
		ok(strstr(comment, want) != NULL, "  and what it will do");
	}
}

static void installed_section(const char *line, const char *comment, char section[static 64])
{
	const struct conf_section *s;

	word(strchr(line, '[') + 1, section);
	s = conf_section_find(section);
	if (!ok(s != NULL, INSTALLED ": [%s] is a section", section))
		return;
	ok((*line == '#') == (s->later || s->named),
	   "  a comment where it is not yet supported or an example");
	if (s->later)
		ok(strstr(comment, "# Not yet supported: ") && strstr(comment, s->later),
		   "  and says what it will do");
}

static void test_installed(void)
{
	_cleanup_free_ char *text = slurp(INSTALLED);
	char *at = text, *line, section[64] = "", comment[2048] = "";
	size_t next = 0, sections = 0;

	while (text && (line = next_line(&at))) {
		if (line[0] == '[' || after(line, "#[")) {
			installed_section(line, comment, section);
			sections++;
		} else if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z') {
			installed_key(line, section, &next, comment);
		} else if (after(line, "# ") && strlen(comment) + strlen(line) < 2000) {
			strcat(comment, line);
			strcat(comment, "\n");
			continue;
		} else if (*line && strcmp(line, "#") != 0) {
			ok(false, INSTALLED ": neither comment nor section nor key: %s", line);
		}
		comment[0] = '\0';
	}
	is_int((long long)next, (long long)conf_n_keys, INSTALLED " has all keys");
	is_int((long long)sections, (long long)conf_n_sections, "  and all sections");
}

/* As installed, and with every line in use: both are the defaults. But for profiles, which have
 * none: an empty list is not the one that it would take over. */
static void test_installed_loads(void)
{
	_cleanup_free_ char *text = slurp(INSTALLED), *all = text ? strdup(text) : NULL;
	_cleanup_free_ char *a = NULL, *b = NULL;
	struct attempt t = try_text(text, CONF_TO_RUN);

	is_str(t.told,
	       "t.conf:1:1: [pool \"default\"] network4 is not set, expected the first address for "
	       "clients, as in network4 = 10.99.99.1\n",
	       INSTALLED " lacks the first address of the pool and nothing else");
	try_end(&t);
	t = try_text("[pool \"default\"]\n", CONF_TO_SHOW);
	a = shown(t.in);
	try_end(&t);
	for (char *p = all; p && *p && !after(p, "#[profile");
	     p += strcspn(p, "\n"), p += *p == '\n')
		if (*p == '#' && ((p[1] >= 'a' && p[1] <= 'z') || after(p, "#[pool")))
			*p = ' ';
	t = try_text(all, CONF_TO_SHOW);
	is_str(t.told, "", INSTALLED " with all lines in use");
	b = shown(t.in);
	try_end(&t);
	cut_comments(a);
	cut_comments(b);
	is_str(b, a, "  says what holds without it");
}

/* ---- the manual ---- */

struct manual {
	char section[64]; /* of the items that follow */
	const char *key;  /* the item's, of the table; NULL: of no interest */
	size_t row;       /* its row */
	unsigned char seen[256];
	bool later;     /* below NOT YET SUPPORTED */
	unsigned words; /* items that are a value there */
};

static void manual_item(struct manual *m, const char *item)
{
	const char *rest = after(item, "Ic ");
	char key[64];

	m->key = NULL;
	if (m->later && after(item, "Sy [")) {
		word(after(item, "Sy ["), m->section);
		ok(conf_section_find(m->section) != NULL, MANUAL ": [%s] is a section", m->section);
		rest = strstr(item, "] Ic ");
		rest = rest ? rest + 5 : NULL;
	} else if (m->later) {
		m->words += rest != NULL;
		return;
	}
	if (!rest)
		return;
	m->row = conf_key_find(m->section, word(rest, key));
	if (!ok(m->row < conf_n_keys, MANUAL ": [%s] %s is a key", m->section, key))
		return;
	m->key = conf_keys[m->row].key;
	ok((conf_keys[m->row].later != NULL) == m->later && !m->seen[m->row],
	   "  once, in the part where it belongs");
}

static void manual_default(struct manual *m, const char *line, char **at)
{
	const char *dflt = conf_keys[m->row].dflt;
	char want[256];

	snprintf(want, sizeof(want), ".Ql %s .", dflt);
	if (*dflt)
		is_str(next_line(at), want, "  with its default");
	else
		ok(after(line, "Default: empty") != NULL, "  with the default of nothing");
	m->seen[m->row]++;
}

static void test_manual(void)
{
	_cleanup_free_ char *text = slurp(MANUAL);
	char *at = text, *line;
	struct manual m = { 0 };
	size_t n = 0;

	while (text && (line = next_line(&at))) {
		if (after(line, ".Sh "))
			m.later = strcmp(line, ".Sh NOT YET SUPPORTED") == 0;
		if (after(line, ".Ss ["))
			word(after(line, ".Ss ["), m.section);
		else if (after(line, ".It "))
			manual_item(&m, after(line, ".It "));
		else if (after(line, "Default:") && m.key)
			manual_default(&m, line, &at);
	}
	for (size_t i = 0; i < conf_n_keys; i++)
		if (!ok(m.seen[i] == 1, MANUAL " has [%s] %s and its default", conf_keys[i].section,
			conf_keys[i].key))
			break;
	_Static_assert(sizeof(m.seen) >= 256, "room for all rows");
	for (size_t i = 0; i < conf_n_keys; i++)
		for (const struct conf_word *w = conf_keys[i].words; w && w->word; w++)
			n += w->later != NULL;
	is_int(m.words, (long long)n + 1, MANUAL " has all later values, and pkcs11:");
}

static void test_manual_words(void)
{
	_cleanup_free_ char *text = slurp(MANUAL);

	for (size_t i = 0; text && i < conf_n_keys; i++)
		for (const struct conf_word *w = conf_keys[i].words; w && w->word; w++) {
			char want[128];

			snprintf(want, sizeof(want), "\n.It Ic %s No = Cm %s\n", conf_keys[i].key,
				 w->word);
			if (w->later)
				ok(strstr(text, want) != NULL, MANUAL " has %s = %s",
				   conf_keys[i].key, w->word);
		}
	for (size_t i = 0; text && i < conf_n_sections; i++) {
		char want[128];

		snprintf(want, sizeof(want),
			 conf_sections[i].later ? "\n.It Sy [%s%s]\n" : "\n.Ss [%s%s]\n",
			 conf_sections[i].name, conf_sections[i].named ? " \\(dqname\\(dq" : "");
		ok(strstr(text, want) != NULL, MANUAL " has [%s]", conf_sections[i].name);
	}
}

/* Blocks of text with a section in them, but for the one that shows the syntax itself and the
 * drop-ins of units. */
static void test_examples(void)
{
	_cleanup_free_ char *text = slurp(MANUAL);
	unsigned n = 0;

	for (char *p = text; p && (p = strstr(p, "\n.Bd -literal"));) {
		char *from = strchr(p + 1, '\n') + 1, *to = strstr(from, "\n.Ed");
		struct attempt t;

		if (!to)
			break;
		*to = '\0';
		p = to + 1;
		if (*from != '[' || after(from, "[Service]") || after(from, "[Socket]"))
			continue;
		t = try_text(from, CONF_TO_SHOW);
		if (*t.told)
			ok(strstr(t.told, "banner: /etc/vpngw/motd cannot be read") &&
				   t.in->n_mistakes == 1,
			   "an example may lack nothing but its banner: %s", t.told);
		ok(after(t.c->gateway.private_key, "credential:") != NULL,
		   "  and its key is one that the unit's user gets to read");
		n++;
		try_end(&t);
	}
	is_int(n, 5, "the examples of " MANUAL " are right");
}

int main(void)
{
	test_print();
	test_later();
	test_later_mistakes();
	test_installed();
	test_installed_loads();
	test_manual();
	test_manual_words();
	test_examples();
	return done();
}
