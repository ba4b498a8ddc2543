package org.sparkqlora.cli.plan;

import org.sparkqlora.model.layout.Method;

/**
 * The peak memory of a process that trained as one executor would.
 *
 * @param predicted bytes that the plan says
 * @param measured bytes that it was
 */
record Measurement(Method method, long predicted, long measured) {
    /** The prediction's distance above (or, negative, below) the measured value, as a share of that. */
    double excess() {
        return (double) predicted / measured - 1;
    }
}
