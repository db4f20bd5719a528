#include "linkd/profile.h"
int ha_new(struct loop *loop, const struct settings *settings, struct outlet *outlet, struct profile **ret)
{
	(void)loop; (void)settings; (void)outlet; (void)ret;
	return -ENOTSUP;
}
