/**
 * An interpreter for the Jinja templates that Hugging Face models bring, with the settings of transformers: blocks are trimmed,
 * loops have break and continue, {@code {% generation %}} marks what the assistant says.
 *
 * <p>Templates come with a model, so they are not trusted: no reflection, no files, and limits on output, loops and depth.
 */
@NullMarked
package org.sparkqlora.data.jinja;

import org.jspecify.annotations.NullMarked;
