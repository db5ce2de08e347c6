/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_msg_captures.c - other people's messages, sound and broken, through the reader.
 *
 * The captures stay outside of the project; VPNGW_CAPTURES says where they are.
 */
#include <dirent.h>

#include "capture.h"
#include "cleanup.h"
#include "ike/msg.h"
#include "tap.h"

/* Clear messages of each capture in order: type chain, "enc" for encrypted, "!" for refused. */
static const struct {
	const char *file;
	const char *chains[12];
} known[] = {
	{ "spicy-ipsec-ikev1-isakmp-aggressive-mode.pcap",
	  { "1 13 13 13 13 4 10 5 13 13 13", "1 13 13 13 13 13 4 5 10 8 20 20", "enc", "enc", "enc",
	    "enc" } },
	{ "spicy-ikev1-certs.pcap",
	  { "1 13 13", "1 13 13 13 13 13 13 13 13 13", "4 10", "4 10 7", "enc", "enc", "enc", "enc",
	    "enc", "enc" } },
	{ "spicy-ipsec-ikev1-isakmp-main-mode.pcap",
	  { "1 13 13 13 13", "1 13", "4 10 13 13 13 20 20", "4 10 13 13 13 13 20 20", "enc", "enc",
	    "enc", "enc", "enc" } },
	{ "spicy-ipsec.cap",
	  { "1 13 13 13 13 13 13 13 13 13", "1 13 13 13 13 13", "11", "1 13 13 13 13 13",
	    "4 10 20 20", "4 10 20 20", "enc", "enc", "enc", "enc", "enc" } },
	{ "tcpdump-ISAKMP_sa_setup.pcap",
	  { "1 13 13 13", "1 13", "4 10 13 13 13 13 15 15", "4 10 13 13 13 13 15 15", "enc", "enc",
	    "enc", "enc", "enc" } },
	{ "libreswan-01-isakmp-vid-first.pcap", { "13 1" } },
	{ "libreswan-01-isakmp-vid-second-resp.pcap", { "1 13" } },
	{ "libreswan-weirdike-authip.pcap", { "133 1 135 10 13 13 13 13 13 20 20" } },
	{ "suricata-ikev1-duplicate-proposals.pcap", { "1 13 13 13 13" } },
	{ "ike-scan-pkt-aggressive.dat", { "1 4 10 5" } },
	{ "ike-scan-pkt-aggr-mode-response.dat", { "1 13 13 13 4 10 5 8" } },
	{ "ike-scan-pkt-main-mode-response.dat", { "1 13" } },
	{ "ike-scan-pkt-notify-response.dat", { "11" } },
	{ "spicy-ipsec-ikev1-payload-bad-length.pcap", { "!" } },
	{ "spicy-ipsec-ikev1-zero-length.pcap", { "!" } },
	{ "spicy-ipsec_client.pcap", { "!", "!", "!", "!", "!" } },
	{ "tcpdump-isakmp-delete-segfault.pcap", { "!" } },
	{ "tcpdump-isakmp-pointer-loop.pcap", { "!" } },
	{ "tcpdump-isakmp-various-oobr.pcap", { "!" } },
	{ "tcpdump-isakmpv1-attr-oobr.pcap", { "!" } },
	{ "tcpdump-ikev1_id_ipv6_addr_subnet-oobr.pcap", { "!" } },
	{ "tcpdump-isakmp-ikev1_n_print-oobr.pcap", { "!", "!" } },
	{ "tcpdump-isakmp-identification-segfault.pcap", { "5" } },
	{ "ike-scan-pkt-malformed.dat", { "!" } },
};

/* The chain when the reader takes the message, else "!". */
static const char *verdict(struct span d, char buf[static 256])
{
	struct ike_hdr h;
	struct ike_msg m;

	if (ike_hdr_read(d, &h) < 0)
		return "!";
	if (h.flags & ISAKMP_FLAG_ENCRYPTED)
		return "enc";
	if (ike_walk((struct span){ d.p + ISAKMP_HDR, d.n - ISAKMP_HDR }, h.next, &m) < 0)
		return "!";
	return m.padding.n ? "!" : chain_text(d, buf);
}

static void test_known(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char buf[256];
		struct capture c;
		struct span d;
		unsigned n = 0;
		bool good = true;

		if (!capture_open(&c, known[i].file)) {
			skip(1, "%s is not there", known[i].file);
			continue;
		}
		while (capture_next(&c, &d)) {
			const char *is = verdict(d, buf);
			const char *want =
				n < ARRAY_SIZE(known[i].chains) ? known[i].chains[n] : NULL;

			n++;
			if (want && strcmp(is, want) == 0)
				continue;
			printf("# message %u: got %s, want %s\n", n, is, want ? want : "nothing");
			good = false;
		}
		good &= n == ARRAY_SIZE(known[i].chains) || !known[i].chains[n];
		ok(good && n, "%s is read as what it is", known[i].file);
		capture_close(&c);
	}
}

/* Reads whatever can be read in it; the sanitizers look on. */
static void digest(struct span d)
{
	struct ike_hdr h;
	struct ike_msg m;
	struct ike_notify n;
	struct ike_delete del;
	struct ike_id id;
	struct ike_cfg cfg;

	if (d.n < ISAKMP_HDR)
		return;
	(void)ike_hdr_read(d, &h);
	if (ike_walk((struct span){ d.p + ISAKMP_HDR, d.n - ISAKMP_HDR }, d.p[16], &m) < 0)
		return;
	for (unsigned i = 0; i < m.n_notify; i++)
		(void)ike_notify_read(m.notify[i], &n);
	for (unsigned i = 0; i < m.n_delete; i++)
		(void)ike_delete_read(m.del[i], &del);
	for (unsigned i = 0; i < m.n_id; i++)
		(void)ike_id_read(m.id[i], &id);
	if (m.present & PB(ATTR))
		(void)ike_cfg_read(m.attr, &cfg);
}

/* An exact copy for each length, so that a read past the end is seen. */
static void test_all_cut(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	unsigned files = 0, messages = 0;

	while (d && (e = readdir(d))) {
		struct capture c;
		struct span s;

		if (!capture_open(&c, e->d_name))
			continue;
		files++;
		while (capture_next(&c, &s)) {
			messages++;
			for (size_t n = 0; n <= s.n; n++) {
				uint8_t *copy = malloc(n ? n : 1);

				memcpy(copy, s.p, n);
				digest((struct span){ copy, n });
				free(copy);
			}
		}
		capture_close(&c);
	}
	if (d)
		closedir(d);
	printf("# %u files, %u messages\n", files, messages);
	ok(files > 20 && messages > 80, "every message, cut at every byte, is read without harm");
}

int main(void)
{
	if (!capture_dir()) {
		skip(2, "VPNGW_CAPTURES is not set: no captures");
		return done();
	}
	test_known();
	test_all_cut(capture_dir());
	return done();
}
