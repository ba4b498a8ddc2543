/** What is refused of options, data and files that people give, and how much of them is read. */
@NullMarked
package org.sparkqlora.input;

import org.jspecify.annotations.NullMarked;
