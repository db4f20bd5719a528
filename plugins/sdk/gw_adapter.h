/* gw_adapter.h - the gatewayd adapter plugin ABI, version 1.1.
 *
 * A plugin is one shared object that exports one data symbol, gwa_plugin_v1. gatewayd-adapter(8) loads it, alone, in a
 * fenced process of its own; the gateway core never does. The whole contract:
 *
 *   1. One thread. Host and plugin call each other on the same thread; no host operation calls back into the
 *      plugin before it returns.
 *   2. Borrowed pointers. Whatever pointer crosses is valid only during the call; nothing allocated on one side is
 *      freed on the other.
 *   3. Nothing blocks. A request id is answered exactly once, later, by done(); descriptors are watched.
 *   4. Sizes speak. Structs grow only at their end and carry their size; each side uses what both know.
 *   5. Reports are numbered. report() returns the report's number; on_stored(N) says that all up to N are
 *      safe. Past the credit, report() returns 0: nothing was taken, try again after on_stored.
 *
 * Licence of this header: Apache-2.0. It needs a C11 compiler and nothing else.
 */
#ifndef GW_ADAPTER_H
#define GW_ADAPTER_H
#include <stdint.h>

#define GWA_MAGIC 0x31415747u /* "GWA1" */
#define GWA_ABI_MINOR 1u      /* the major version is in the symbol's name */
#define GWA_ADDR_MAX 16
#define GWA_TEXT_MAX 64       /* vendor, model, firmware, name */
#define GWA_VALUE_MAX 4096    /* longest text or bytes value */
#define GWA_STATE_MAX 32768   /* longest saved blob */
#define GWA_ASK_MAX 262144    /* longest text of an ask() and of all tell()s that answer it */

typedef struct gwa_host gwa_host; /* the host's; begins with a pointer to its operations */
typedef struct gwa_self gwa_self; /* the plugin's own */

enum { GWA_T_NONE, GWA_T_BOOL, GWA_T_INT, GWA_T_REAL, GWA_T_TEXT, GWA_T_BYTES };
enum { GWA_A_READ = 1u, GWA_A_WRITE = 2u, GWA_A_REPORT = 4u, GWA_A_SECURE = 8u };
enum { GWA_F_JOIN = 1u, GWA_F_REMOVE = 2u, GWA_F_NET = 4u, /* opens windows; removes devices; needs IP sockets */
       GWA_F_RADIO = 8u }; /* 1.1: answers ask() */
/* How far a device has come that joins: heard of; telling what it is; being set up; done; failed (why says it); a person
 * is to enter or compare why's digits (1 to 16) on the device. */
enum { GWA_JOIN_SEEN, GWA_JOIN_INTERVIEW, GWA_JOIN_CONFIGURE, GWA_JOIN_READY, GWA_JOIN_FAILED, GWA_JOIN_PASSKEY };
enum { GWA_OK, GWA_FAILED = -1, GWA_UNREACHABLE = -2, GWA_BAD_VALUE = -3, GWA_UNSUPPORTED = -4, GWA_TIMEOUT = -5, GWA_BUSY = -6 };
enum { GWA_NOTE_MALFORMED, GWA_NOTE_OVERSIZE, GWA_NOTE_UNKNOWN_DEVICE, GWA_NOTE_BAD_VALUE, GWA_NOTE_BAD_TOPIC, GWA_NOTE_FLOOD,
       GWA_NOTE_DROPPED, GWA_NOTE_REFUSED_COMMAND, GWA_NOTE_STATUS };

struct gwa_value {
	uint32_t type, len; /* len: bytes at data, TEXT and BYTES */
	union { int64_t i; double f; const void *data; } v; /* BOOL uses i */
};
struct gwa_cap { /* one row of what a device can do; ids, units: gw_caps.h */
	uint16_t id;
	uint8_t type, access;
	uint32_t unit;
	int64_t min, max, step; /* INT as is; REAL in thousandths; all 0: the table's own range */
};
struct gwa_addr { uint8_t len, bytes[GWA_ADDR_MAX]; };
struct gwa_endpoint { uint8_t id, ncaps; uint16_t profile; const struct gwa_cap *caps; };
struct gwa_device {
	uint32_t size;
	struct gwa_addr addr;  /* the adapter's name for it */
	struct gwa_addr hw;    /* IEEE address or MAC, when known: len 0 else */
	uint8_t identity[12];  /* appendix A identity the device brought; zeros: none */
	uint8_t evidence;      /* 0 open, 1 shared key, 2 own key, 3 attested */
	uint8_t sleepy, nendpoints, rsv;
	const char *vendor, *model, *firmware, *name;
	const struct gwa_endpoint *endpoints;
};
struct gwa_opt { const char *key, *value; };
struct gwa_join { uint32_t size, seconds; struct gwa_addr addr; uint8_t ncode, code[36]; };

struct gwa_ops { /* what the plugin offers */
	uint32_t size;
	int (*open)(gwa_host *host, const struct gwa_opt *opts, uint32_t nopts, gwa_self **ret);
	void (*close)(gwa_self *self);
	void (*command)(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			const struct gwa_value *value, uint32_t ttl_ms);
	void (*permit_join)(gwa_self *self, uint64_t req, const struct gwa_join *join);
	void (*remove)(gwa_self *self, uint64_t req, const struct gwa_addr *addr);
	void (*on_stored)(gwa_self *self, uint64_t up_to);
	void (*on_fd)(gwa_self *self, int fd, uint32_t events); /* POLLIN | POLLOUT */
	void (*on_timer)(gwa_self *self, uint32_t timer);
	/* 1.1: a person asks the radio: "info", "map", "backup", "restore", "channel", "form", "adopt", "group" (docs/spec/radio.md). */
	void (*ask)(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len);
};
struct gwa_plugin {
	uint32_t magic, size;
	uint16_t abi_minor, version;
	uint32_t flags;
	const char *name, *summary;
	const char *const *ports; /* descriptors it wants, by name, ends with NULL */
	const struct gwa_ops *ops;
};
struct gwa_host_ops { /* what the host offers */
	uint32_t size;
	void (*log)(gwa_host *host, int level, const char *text); /* syslog levels; rate-limited */
	int (*port)(gwa_host *host, const char *name);            /* an open descriptor, never a path; -1 */
	int (*watch)(gwa_host *host, int fd, uint32_t events);    /* POLLIN | POLLOUT; 0 stops; 0 or -1 */
	void (*timer)(gwa_host *host, uint32_t timer, uint32_t ms);/* timers 0..31; ms 0 stops */
	uint64_t (*now_ms)(gwa_host *host);
	void (*device_up)(gwa_host *host, const struct gwa_device *device);
	void (*devices_synced)(gwa_host *host); /* after open: all that is known has been said */
	void (*device_down)(gwa_host *host, const struct gwa_addr *addr, int left);
	uint64_t (*report)(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			   const struct gwa_value *value, int64_t wall_us); /* wall_us 0: now */
	void (*done)(gwa_host *host, uint64_t req, int status);   /* GWA_*; exactly once per req */
	void (*claim)(gwa_host *host, const struct gwa_addr *addr, const char *code, uint32_t len);
	void (*note)(gwa_host *host, int kind, uint32_t count, const char *object, const char *text);
	int (*load)(gwa_host *host, const char *key, void *buf, uint32_t *len); /* *len: capacity in, size out; -1 none */
	int (*save)(gwa_host *host, const char *key, const void *buf, uint32_t len);
	void (*failed)(gwa_host *host, const char *why); /* the port is lost: end this process, cleanly */
	void (*repeats)(gwa_host *host, int on); /* on: what is reported from now on may have been reported before */
	/* 1.1 */
	void (*joining)(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why); /* GWA_JOIN_*; why: plain words, may be NULL */
	void (*tell)(gwa_host *host, uint64_t req, const void *data, uint32_t len); /* a part of the answer to ask(), before done() */
};
/* gwa(host)->report(host, ...) */
static inline const struct gwa_host_ops *gwa(gwa_host *host)
{
	return *(const struct gwa_host_ops *const *)(const void *)host;
}

#ifdef __cplusplus
extern "C"
#endif
extern __attribute__((visibility("default"))) const struct gwa_plugin gwa_plugin_v1;
#endif
