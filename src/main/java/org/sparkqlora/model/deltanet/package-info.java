/** The gated delta rule: token mixing by a state that each token decays, corrects and reads, with what stands around it. */
@NullMarked
package org.sparkqlora.model.deltanet;

import org.jspecify.annotations.NullMarked;
