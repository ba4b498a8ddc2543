/** Which modules adapters are for, what their factors begin as, and how they are taken out of a weight (PiSSA, OLoRA). */
@NullMarked
package org.sparkqlora.model.adapter;

import org.jspecify.annotations.NullMarked;
