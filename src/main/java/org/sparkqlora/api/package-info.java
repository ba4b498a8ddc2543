/** The commands for other programs in this process, such as the Python package. */
@NullMarked
package org.sparkqlora.api;

import org.jspecify.annotations.NullMarked;
