/* The portable learner under names of its own, next to the kernels in assembly: lockstep.c runs both. */
#define ANP_PORTABLE
#define anp_train portable_train
#define anp_predict portable_predict
#define anp_evaluate portable_evaluate
#define anp_random portable_random
#define anp_noise_draw portable_noise_draw
#define anp_passes portable_passes
#define anp_products portable_products
#define anp_decorrelate portable_decorrelate
#define anp_squared_loss portable_squared_loss
#define anp_sum_of_squares portable_sum_of_squares
#define anp_loss_of portable_loss_of
#define anp_loss_and_error portable_loss_and_error
#define anp_is_correct portable_is_correct
#define anp_pass_clean portable_pass_clean
#define anp_feed_back portable_feed_back
#define anp_signals portable_signals
#define anp_sum_of_upper portable_sum_of_upper
#define anp_add_outer portable_add_outer
#define anp_global_factor portable_global_factor
#define anp_update_layer portable_update_layer
#define anp_update_matrix portable_update_matrix
#define anp_project portable_project
#define anp_update_matrix_row portable_update_matrix_row

#include "portable.h"

#include "anp_decorrelation.c"
#include "anp_forward.c"
#include "anp_portable.c"
#include "anp_loss.c"
#include "anp_rules.c"
#include "anp_train.c"
#include "anp_update.c"
