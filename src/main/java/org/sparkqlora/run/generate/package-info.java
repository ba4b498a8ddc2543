/** Answers of a model: to one prompt, to a file of prompts, and to sample prompts while it trains. */
@NullMarked
package org.sparkqlora.run.generate;

import org.jspecify.annotations.NullMarked;
