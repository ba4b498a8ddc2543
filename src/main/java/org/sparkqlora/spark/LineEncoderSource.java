package org.sparkqlora.spark;

import java.io.Serializable;

/** Opens a {@link LineEncoder} in a task. */
public interface LineEncoderSource extends Serializable {
    /** Differs where any line may be encoded differently. */
    String fingerprint();

    LineEncoder open();
}
