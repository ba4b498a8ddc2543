package org.sparkqlora.cli.plan;

import org.sparkqlora.model.Method;

/**
 * The peak memory of a process that trained as one executor would.
 *
 * @param predicted bytes that the plan says
 * @param measured bytes that it was
 */
record Measurement(Method method, long predicted, long measured) {
    /** How far the prediction is above (or, negative, below) what was measured, as a share of it. */
    double excess() {
        return (double) predicted / measured - 1;
    }
}
