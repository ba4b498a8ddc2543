package org.sparkqlora.spark.exchange;

import org.apache.spark.Partitioner;

/** Brings a slice of all shards to the task that adds it. */
final class SlicePartitioner extends Partitioner {
    private static final long serialVersionUID = 1L;

    private final SliceLayout layout;

    SlicePartitioner(SliceLayout layout) {
        this.layout = layout;
    }

    @Override
    public int numPartitions() {
        return layout.parts();
    }

    @Override
    public int getPartition(Object key) {
        return layout.partOf(((SliceKey) key).slice());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SlicePartitioner partitioner && partitioner.layout.equals(layout);
    }

    @Override
    public int hashCode() {
        return layout.hashCode();
    }
}
