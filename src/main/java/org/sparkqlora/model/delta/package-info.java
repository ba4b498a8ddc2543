/** The gated delta rule: token mixing by a state that each token decays, corrects and reads, with what stands around it. */
@NullMarked
package org.sparkqlora.model.delta;

import org.jspecify.annotations.NullMarked;
