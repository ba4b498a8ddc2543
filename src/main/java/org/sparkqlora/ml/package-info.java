/** Training, answers and perplexity as stages of Spark MLlib; their params are the options of the command line. */
@NullMarked
package org.sparkqlora.ml;

import org.jspecify.annotations.NullMarked;
