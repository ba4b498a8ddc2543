/** What trains and where it lies in the flat vector: method, number format, adapters and their targets, modules that train whole. */
@NullMarked
package org.sparkqlora.model.layout;

import org.jspecify.annotations.NullMarked;
