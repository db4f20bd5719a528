/* gw_caps.h - the numbers of capabilities and units in gw_adapter.h's struct gwa_cap.
 *
 * They are the rows of the gateway's capability table (names, Matter's clusters and attributes, ranges:
 * gatewayctl can print it). 0x8000 up is yours: the gateway treats it as personal and risky, because it does not know.
 *
 * Licence of this header: Apache-2.0.
 */
#ifndef GW_CAPS_H
#define GW_CAPS_H

/* What it is, type, unit: range. (w) can be written. */
enum {
	GWA_CAP_ON_OFF = 1,             /* BOOL (w) */
	GWA_CAP_LEVEL = 2,              /* INT %: 0..100 (w) */
	GWA_CAP_COLOR_TEMPERATURE = 3,  /* INT mired: 1..1000 (w) */
	GWA_CAP_COLOR_HUE = 4,          /* INT degrees: 0..360 (w) */
	GWA_CAP_COLOR_SATURATION = 5,   /* INT %: 0..100 (w) */
	GWA_CAP_COVER_POSITION = 6,     /* INT %: 0 closed .. 100 open (w) */
	GWA_CAP_COVER_TILT = 7,         /* INT %: 0..100 (w) */
	GWA_CAP_COVER_MOVE = 8,         /* TEXT open|close|stop (w) */
	GWA_CAP_LOCK_STATE = 9,         /* TEXT locked|unlocked|jammed (w) */
	GWA_CAP_DOOR_STATE = 10,        /* TEXT open|closed|opening|closing|ajar|jammed|forced-open (w) */
	GWA_CAP_TARGET_TEMPERATURE = 11,/* REAL degrees Celsius: 0..50 (w) */
	GWA_CAP_THERMOSTAT_MODE = 12,   /* TEXT off|auto|cool|heat|emergency-heat|precooling|fan-only|dry|sleep (w) */
	GWA_CAP_FAN_MODE = 13,          /* TEXT off|low|medium|high|on|auto|smart (w) */
	GWA_CAP_FAN_PERCENT = 14,       /* INT %: 0..100 (w) */
	GWA_CAP_VALVE = 15,             /* BOOL open (w) */
	GWA_CAP_SIREN = 16,             /* BOOL (w) */
	GWA_CAP_ALARM_MODE = 17,        /* TEXT disarmed|armed-home|armed-away|armed-night|triggered (w) */
	GWA_CAP_TARGET_COOLING = 18,    /* REAL degrees Celsius: 0..50 (w) */
	GWA_CAP_OUTPUT = 19,            /* BOOL, of unknown use (w) */
	GWA_CAP_ANALOG_OUTPUT = 20,     /* REAL, of unknown use (w) */
	GWA_CAP_STATE_OUTPUT = 21,      /* INT 0..65535, of unknown use (w) */
	GWA_CAP_TEMPERATURE = 64,       /* REAL degrees Celsius */
	GWA_CAP_HUMIDITY = 65,          /* REAL % */
	GWA_CAP_PRESSURE = 66,          /* REAL hPa */
	GWA_CAP_ILLUMINANCE = 67,       /* REAL lx */
	GWA_CAP_OCCUPANCY = 68,         /* BOOL */
	GWA_CAP_CONTACT = 69,           /* BOOL closed */
	GWA_CAP_WATER_LEAK = 70,        /* BOOL */
	GWA_CAP_SMOKE = 71,             /* BOOL */
	GWA_CAP_CARBON_MONOXIDE = 72,   /* BOOL */
	GWA_CAP_GAS = 73,               /* BOOL */
	GWA_CAP_VIBRATION = 74,         /* BOOL */
	GWA_CAP_TAMPER = 75,            /* BOOL */
	GWA_CAP_CO2 = 76,               /* REAL ppm */
	GWA_CAP_PM25 = 77,              /* REAL ug/m3 */
	GWA_CAP_VOC = 78,               /* REAL ug/m3 */
	GWA_CAP_FLOW = 79,              /* REAL l/min */
	GWA_CAP_SOIL_MOISTURE = 80,     /* REAL % */
	GWA_CAP_BUTTON = 81,            /* TEXT single, double, hold, ... */
	GWA_CAP_ZONE_ALARM = 82,        /* BOOL: an alarm sensor that does not say of what */
	GWA_CAP_INPUT = 83,             /* BOOL, of unknown use */
	GWA_CAP_ANALOG_INPUT = 84,      /* REAL, of unknown use */
	GWA_CAP_STATE_INPUT = 85,       /* INT 0..65535, of unknown use */
	GWA_CAP_PM10 = 86,              /* REAL ug/m3 */
	GWA_CAP_FORMALDEHYDE = 87,      /* REAL ug/m3 */
	GWA_CAP_UV_INDEX = 88,          /* REAL */
	GWA_CAP_WATER = 89,             /* REAL l, all that flowed */
	GWA_CAP_GAS_VOLUME = 90,        /* REAL m3, all that flowed */
	GWA_CAP_POWER = 128,            /* REAL W */
	GWA_CAP_ENERGY = 129,           /* REAL kWh */
	GWA_CAP_VOLTAGE = 130,          /* REAL V */
	GWA_CAP_CURRENT = 131,          /* REAL A */
	GWA_CAP_FREQUENCY = 132,        /* REAL Hz */
	GWA_CAP_POWER_FACTOR = 133,     /* REAL -1..1 */
	GWA_CAP_BATTERY = 160,          /* REAL % */
	GWA_CAP_BATTERY_LOW = 161,      /* BOOL */
	GWA_CAP_LINK_QUALITY = 162,     /* INT 0..255 */
	GWA_CAP_RSSI = 163,             /* INT dBm */
	GWA_CAP_UPTIME = 164,           /* INT s */
	GWA_CAP_DEVICE_TEMPERATURE = 165,/* REAL degrees Celsius, inside of it */
	GWA_CAP_MASS = 192,             /* REAL kg */
	GWA_CAP_DEW_POINT = 193,        /* REAL degrees Celsius */
	GWA_CAP_COUNT = 194,            /* INT of anything */
	GWA_CAP_GENERIC_STATE = 195,    /* BOOL */
	GWA_CAP_CHARGING = 196,         /* BOOL */
	GWA_CAP_COLD = 197,             /* BOOL */
	GWA_CAP_CONNECTED = 198,        /* BOOL */
	GWA_CAP_HOT = 199,              /* BOOL */
	GWA_CAP_LIGHT = 200,            /* BOOL */
	GWA_CAP_MOVING = 201,           /* BOOL */
	GWA_CAP_PLUGGED = 202,          /* BOOL */
	GWA_CAP_PROBLEM = 203,          /* BOOL */
	GWA_CAP_RUNNING = 204,          /* BOOL */
	GWA_CAP_SAFE = 205,             /* BOOL */
	GWA_CAP_SOUND = 206,            /* BOOL */
	GWA_CAP_DIMMER = 207,           /* INT steps, left is negative */
	GWA_CAP_ROTATION = 208,         /* REAL degrees */
	GWA_CAP_DISTANCE = 209,         /* REAL m */
	GWA_CAP_DURATION = 210,         /* REAL s */
	GWA_CAP_SPEED = 211,            /* REAL m/s */
	GWA_CAP_VOLUME = 212,           /* REAL l */
	GWA_CAP_TIMESTAMP = 213,        /* INT s since 1970 */
	GWA_CAP_ACCELERATION = 214,     /* REAL m/s2 */
	GWA_CAP_GYROSCOPE = 215,        /* REAL degrees/s */
	GWA_CAP_TEXT = 216,             /* TEXT */
	GWA_CAP_RAW = 217,              /* BYTES */
	GWA_CAP_VOLUME_STORED = 218,    /* REAL l */
	GWA_CAP_CONDUCTIVITY = 219,     /* REAL uS/cm */
	GWA_CAP_DIRECTION = 220,        /* REAL degrees */
	GWA_CAP_PRECIPITATION = 221,    /* REAL mm */
	GWA_CAP_CHANNEL = 222,          /* INT */
	GWA_CAP_REVOLUTIONS = 223,      /* REAL 1/min */
	GWA_CAP_LIGHT_LEVEL = 224,      /* INT */
	GWA_CAP_TX_POWER = 225,         /* INT dBm */
	GWA_CAP_MOVEMENTS = 226,        /* INT counted */
	GWA_CAP_SEQUENCE = 227,         /* INT */
	GWA_CAP_CONSUMABLE = 228,       /* REAL % */
	GWA_CAP_IDLE_SECONDS = 229,     /* INT s without motion */
	GWA_CAP_VENDOR_FIRST = 0x8000
};

/* 0 in struct gwa_cap: the table's own unit. */
enum {
	GWA_U_NONE, GWA_U_PERCENT, GWA_U_CELSIUS, GWA_U_HECTOPASCAL, GWA_U_LUX, GWA_U_WATT, GWA_U_KILOWATT_HOUR, GWA_U_VOLT,
	GWA_U_AMPERE, GWA_U_HERTZ, GWA_U_MIRED, GWA_U_DEGREE, GWA_U_PPM, GWA_U_MICROGRAM_M3, GWA_U_SECOND, GWA_U_DBM,
	GWA_U_LQI, GWA_U_LITRE_MINUTE, GWA_U_LITRE, GWA_U_CUBIC_METRE, GWA_U_KILOGRAM, GWA_U_METRE,
	GWA_U_METRE_SECOND, GWA_U_METRE_SECOND2, GWA_U_DEGREE_SECOND, GWA_U_MICROSIEMENS_CM, GWA_U_MILLIMETRE, GWA_U_PER_MINUTE
};
#endif
