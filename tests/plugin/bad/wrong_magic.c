#define BAD_NAME  "wrong-magic"
#define BAD_MAGIC 0x32415747u
#include "bad.h"
