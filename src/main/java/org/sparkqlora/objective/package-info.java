/** What training makes better: losses of answers, as functions of their log-probabilities. */
@NullMarked
package org.sparkqlora.objective;

import org.jspecify.annotations.NullMarked;
