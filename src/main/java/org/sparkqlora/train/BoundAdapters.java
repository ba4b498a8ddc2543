package org.sparkqlora.train;

/** A base with several adapters, bound. Without the name of one it is the base alone. */
public interface BoundAdapters extends BoundModel {
    /** The base with an adapter, which is closed with this; the base alone where none has that name. */
    BoundModel with(String adapter);
}
