/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_text.c - text from the daemon as a terminal may see it. */
#include "ctl/ctl_text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "cleanup.h"
#include "text.h"

static bool utf8;

/* A locale that came over ssh and is not installed here still says what the terminal reads. */
static bool names_utf8(void)
{
	static const char *const variable[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (unsigned i = 0; i < ARRAY_SIZE(variable); i++) {
		const char *v = getenv(variable[i]);

		if (v && *v)
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

void ctl_text_init(void)
{
	if (!setlocale(LC_CTYPE, "") && names_utf8())
		setlocale(LC_CTYPE, "C.UTF-8");
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool ctl_text_utf8(void)
{
	return utf8;
}

/*
 * A terminal that does not read UTF-8 may take its bytes for control codes: 0x9b, a part of many
 * letters, begins a command on an 8-bit terminal.
 */
static const char *to_ascii(const char *s, char *buf, size_t cap)
{
	size_t len = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (len + 4 >= cap)
			break;
		if (c < 0x80)
			buf[len++] = *s;
		else
			len += (size_t)snprintf(buf + len, cap - len, "\\x%02x", c);
	}
	buf[len] = '\0';
	return buf;
}

const char *ctl_text(const char *s, char *buf, size_t cap)
{
	char safe[CTL_TEXT_MAX];

	if (!text_is_clean(span_str(s)))
		s = text_escape(span_str(s), safe, sizeof(safe));
	if (!utf8)
		return to_ascii(s, buf, cap);
	if (strlen(s) < cap)
		return strcpy(buf, s);
	/* Too long: never through the middle of a letter. */
	return text_escape(span_str(s), buf, cap);
}

/* One character: its bytes, and its columns in *ret_width. */
static size_t next_char(const char *s, size_t *ret_width)
{
	mbstate_t state = { 0 };
	wchar_t wc;
	size_t n;
	int w;

	if ((unsigned char)*s < 0x80) { /* nearly all of them */
		*ret_width = 1;
		return 1;
	}
	n = mbrtowc(&wc, s, MB_CUR_MAX, &state);
	if (n == 0 || n == (size_t)-1 || n == (size_t)-2) {
		*ret_width = 1;
		return 1;
	}
	w = wcwidth(wc);
	*ret_width = w < 0 ? 1 : (size_t)w;
	return n;
}

size_t ctl_text_fit(const char *s, size_t width, size_t *ret_width)
{
	size_t used = 0, at = 0, w;

	while (s[at]) {
		size_t n = next_char(s + at, &w);

		if (w > width - used)
			break;
		used += w;
		at += n;
	}
	*ret_width = used;
	return at;
}

size_t ctl_text_width(const char *s)
{
	size_t width;

	ctl_text_fit(s, SIZE_MAX, &width);
	return width;
}

const char *ctl_member(const json_t *o, const char *key, char *buf, size_t cap)
{
	const char *v = json_string_value(json_object_get(o, key));

	return ctl_text(v ? v : "", buf, cap);
}

bool ctl_number(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(v);
	return true;
}

const char *ctl_local_time(uint64_t seconds, char buf[static 32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&t, &tm) || strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strcpy(buf, "-");
	return buf;
}
