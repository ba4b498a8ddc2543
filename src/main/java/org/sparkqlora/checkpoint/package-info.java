/**
 * Persistent state on any Hadoop file system: checkpoints of the training state, PEFT adapter folders and full model
 * folders. Nothing is overwritten in place; what is written is read back before anything that it replaces goes away.
 */
@NullMarked
package org.sparkqlora.checkpoint;

import org.jspecify.annotations.NullMarked;
