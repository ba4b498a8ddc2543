package org.sparkqlora.optim;

/** The values that a state can take, which decide the map of its 8-bit codes. */
enum StateRange {
    ANY,
    NOT_NEGATIVE
}
