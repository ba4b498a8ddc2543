/** Sources of a base model: a folder of this host, any Hadoop file system, or a hub of Hugging Face's kind. */
@NullMarked
package org.sparkqlora.checkpoint.hub;

import org.jspecify.annotations.NullMarked;
