/** Which modules adapters are for, and what their factors begin as. */
@NullMarked
package org.sparkqlora.model.adapter;

import org.jspecify.annotations.NullMarked;
