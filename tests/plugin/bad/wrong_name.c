#define BAD_NAME "Wrong Name"
#include "bad.h"
