/** The options of the commands: names, types, defaults and checks of each. */
@NullMarked
package org.sparkqlora.options;

import org.jspecify.annotations.NullMarked;
