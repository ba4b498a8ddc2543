package org.sparkqlora.optim;

/** The storage of pages that are not in work. */
public enum PagePlace {
    /** In Java's heap. */
    MEMORY,
    /** In a scratch file on a local disk. */
    FILE
}
