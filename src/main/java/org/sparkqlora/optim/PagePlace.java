package org.sparkqlora.optim;

/** Where pages lie while they are not in work. */
public enum PagePlace {
    /** In Java's heap. */
    MEMORY,
    /** In a scratch file on a local disk. */
    FILE
}
