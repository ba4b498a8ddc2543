package org.sparkqlora.model;

/** What all layers share during one pass over one micro-batch. */
record PassContext(DocumentBatch batch, Rotary rotary, CausalAttention attention) implements AutoCloseable {
    @Override
    public void close() {
        attention.close();
    }
}
