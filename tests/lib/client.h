/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client.h - a scripted IKEv1 initiator: aggressive and main mode with hybrid RSA or a certificate, main
 * mode with a shared key, XAuth, mode config, Quick Mode, Informational. It says exactly what a test tells it
 * to, right or wrong.
 *
 * Messages are built into c->buf and returned as views of it: copy to keep. The initiator shares
 * the project's codec and key derivation; that those are right, the known answers and the real
 * clients show.
 */
#pragma once

#include "addr.h"
#include "ike/build.h"
#include "ike/dh.h"
#include "ike/msg.h"
#include "ike/sapl.h"
#include "pieces.h"

struct client {
	/* settings, to change before client_first() */
	struct ike_p1 alg;
	struct ike_p2 esp;
	uint16_t pfs;           /* group; 0: none */
	const char *group_name; /* KEY_ID */
	uint32_t natt;          /* enum vid_bit: the NAT traversal it offers; 0: none */
	bool behind_nat;        /* its NAT-D does not match what the gateway sees */
	bool clear_third;       /* third message unencrypted: racoon, Apple, Android */
	bool vpnc_order;        /* KEY_LENGTH first, numbers from 0 */
	bool unity;
	bool v6;          /* asks for an IPv6 address, too, and makes its pairs for that one */
	bool ipcomp;      /* offers IPComp with ESP, and nothing without it */
	bool tunnel_mode; /* Quick Mode without UDP encapsulation, whatever was found */
	bool no_crypto;   /* as gate.h: a fixed secret instead of Diffie-Hellman */
	bool main;        /* main mode */
	uint16_t auth;    /* authentication method offered */
	const char *psk;  /* for methods with a shared key */
	unsigned n_certs; /* for methods with a certificate: how many it sends */
	size_t cert_len;  /* bytes of each */
	bool wrong_sig;
	bool trusting; /* takes anything for the gateway's proof: a real one's key is not known here */
	size_t sig_len;                /* bytes of zeros instead of its signature; 0: it signs */
	bool knows_frag;               /* sends the FRAGMENTATION vendor ID */
	size_t frag;                   /* data of each fragment; 0: sends whole messages */
	bool initial_contact;          /* in the last message of phase 1 */
	bool no_dpd;                   /* it does not say that it knows DPD */
	struct endpoint self, gateway; /* as this client believes */

	/* state */
	uint8_t cky_i[8], cky_r[8];
	uint8_t x[DH_PRIVATE_MAX], g_i[DH_PUBLIC_MAX];
	uint8_t nonce_i[20];
	uint8_t sa_i[1024], id_i[128];
	size_t sa_i_len, id_i_len;
	uint8_t g_r[DH_PUBLIC_MAX];
	struct ike_keys keys;
	struct secret skeyid, hash_i;
	uint8_t last_block[IKE_BLOCK_MAX];
	bool floated;
	bool nat_seen;                /* the gateway's NAT-Ds say that there is a NAT */
	struct span got_cert, got_id; /* views of plain: the gateway's last message of phase 1 */
	bool sig_ok;                  /* the gateway has proved itself, by SIG or HASH */

	/* the exchange under way */
	uint32_t msgid;
	const uint32_t *own_msgid; /* what the next ones take instead of a random one; NULL: none */
	uint8_t iv[IKE_BLOCK_MAX];
	uint16_t cfg_id;
	struct ipaddr address, address6; /* from mode config */
	uint8_t q_nonce[20], q_x[DH_PRIVATE_MAX], q_g[DH_PUBLIC_MAX];
	uint32_t spi_in, spi_out;
	uint16_t cpi_in, cpi_out; /* cpi_out 0: the gateway has not chosen IPComp */
	bool theirs;              /* the exchange is a Quick Mode of the gateway's */
	uint8_t q_peer[256];      /* its nonce */
	size_t q_peer_len;
	uint8_t key_in[96], key_out[96]; /* KEYMAT of each direction */
	size_t key_len;
	uint32_t seed;

	uint8_t buf[70000], plain[70000];
	struct ike_hdr hdr; /* of the last message opened */
	struct ike_msg msg; /* views of plain */
	struct ike_cfg cfg;
};

void client_init(struct client *c, const char *self, const char *gateway);

/* ---- phase 1 ---- */

/* The first message of either mode. */
struct span client_first(struct client *c);

/* ---- aggressive mode ---- */
/* 0 when the answer parses and its signature is gate_signature() of the right hash. */
int client_second(struct client *c, struct span in);
struct span client_third(struct client *c);

/* ---- main mode ---- */

/* 0 when the answer parses. */
int client_main2(struct client *c, struct span in);
struct span client_main3(struct client *c);
int client_main4(struct client *c, struct span in);
struct span client_main5(struct client *c);
/* The same before it is encrypted: for craft.h and craft_seal_raw(). */
struct ike_build client_main5_open(struct client *c);
/* 0 when it decrypts, parses, and the gateway proves itself. */
int client_main6(struct client *c, struct span in);

/* The whole of it with a gateway in memory. True when that has asked for name and password, or without
 * XAuth, when it is over. */
struct gate;
bool client_phase1(struct client *c, struct gate *g);
/* As far as the gateway's second or fourth message. */
bool client_to_main2(struct client *c, struct gate *g);
bool client_to_main4(struct client *c, struct gate *g);

/* Diffie-Hellman as this client does it. 0 or -errno. */
int client_agree(const struct client *c, const struct dh_group *g, const uint8_t *x,
		 struct span peer, uint8_t *shared);

/* ---- afterwards ---- */

/* Decrypts and verifies a message of the gateway's; fills c->hdr, c->msg, c->cfg. 0 or -errno with
 * the exchange as it was. */
int client_open(struct client *c, struct span in);

/* Builds a protected message with a HASH(1) in the exchange c->msgid. */
void client_new_exchange(struct client *c);
struct ike_build client_start(struct client *c, uint8_t type);
struct span client_seal(struct client *c, struct ike_build *b);
/* As it is, in clear, its HASH payload empty. */
struct span client_clear(struct ike_build *b);

/*
 * Encrypts `plain` as it is, padded with zeros to the block: for messages that break the rules
 * behind the encryption. client_hash_payload() makes a HASH payload that is right for `rest`.
 */
struct span client_sealed(struct client *c, uint8_t type, uint8_t next, struct span plain);
void client_hash_payload(struct client *c, struct wr *w, uint8_t next, struct span rest);

struct span client_attr(struct client *c, enum ike_cfg_type type, uint16_t id, struct span attrs);
struct span client_credentials(struct client *c, struct span user, struct span password);
/* The attribute that the request which was opened last asks for, with its MESSAGE; 0: it asks for
 * name and password, or is none. */
uint16_t client_asked(const struct client *c, struct span *ret_message);
/* Answers it. */
struct span client_say(struct client *c, uint16_t attr, struct span text);
struct span client_ack(struct client *c);
/* Asks for these attribute types with empty values. */
struct span client_config(struct client *c, const uint16_t *types, size_t n);
/* The same for what every client asks for, the IPv6 address where it wants one. */
struct span client_config_usual(struct client *c);
/* Reads INTERNAL_IP4_ADDRESS, and with v6 INTERNAL_IP6_ADDRESS, out of the reply that was opened last:
 * true with all of them. */
bool client_take_address(struct client *c);

/* What stands as the CPI in an SA payload of the gateway's, writable where the payload is; NULL: none
 * does. */
const uint8_t *client_cpi_at(struct span sa);

/* ci and cr: identity bodies, or NULL spans for the address and 0.0.0.0/0, with v6 ::/0. */
struct span client_quick1(struct client *c, struct span ci, struct span cr);
/* The same before it is sealed: client_clear() gives the message as it stands. */
struct ike_build client_quick1_open(struct client *c, struct span ci, struct span cr);
int client_quick2(struct client *c, struct span in);
struct span client_quick3(struct client *c);

/* A Quick Mode that the gateway begins: reading its messages is 0 when they are sound. The answer
 * echoes what was asked for, as clients do. */
int client_rekey1(struct client *c, struct span in);
struct ike_build client_rekey2_open(struct client *c); /* before it is sealed */
struct span client_rekey2(struct client *c);
int client_rekey3(struct client *c, struct span in);

/* A Transaction message with these attributes in a new exchange. */
struct span client_transaction(struct client *c, enum ike_cfg_type type, struct span attrs);

struct span client_delete(struct client *c, uint8_t proto, struct span spi);
struct span client_notify(struct client *c, uint16_t type, struct span spi, struct span data);
struct span client_delete_isakmp(struct client *c);
struct span client_delete_child(struct client *c); /* the pair of the last Quick Mode */
struct span client_dpd(struct client *c, uint32_t seq);
struct span client_dpd_ack(struct client *c, uint32_t seq);
/* The message that was opened last asks for life: true, with its number. */
bool client_is_asked(const struct client *c, uint32_t *ret_seq);

/* Sends to the gateway from where the client is now, with the port it uses; in fragments where
 * the settings say so. */
void client_to(struct client *c, struct gate *g, struct span data);
/* Sends one datagram as it is. */
void client_raw(const struct client *c, struct gate *g, struct span data);
/* The only message that the gateway has sent since, put together; else an empty span. */
struct span client_answer(const struct gate *g);

/* Runs a login as far as its name says. True when it worked. */
bool client_xauth(struct client *c, struct gate *g); /* as far as the verdict's acknowledgement */
bool client_login(struct client *c, struct gate *g); /* XAuth and mode config */
bool client_up(struct client *c, struct gate *g);    /* and a Quick Mode */
bool client_quick(struct client *c, struct gate *g); /* one more Quick Mode */

/* The gateway's side of it; NULL: none. */
const struct ike_sa *client_sa(const struct client *c, const struct gate *g);
/* The gateway's pair of the last Quick Mode has the keys that this client has. */
bool client_keys_match(const struct client *c, const struct gate *g);
