package org.sparkqlora.spark.prepare;

import org.apache.spark.Partitioner;

/** Puts records of consecutive places together. */
final class GroupPartitioner extends Partitioner {
    private static final long serialVersionUID = 1L;

    private final long size;
    private final int groups;

    GroupPartitioner(long size, int groups) {
        this.size = size;
        this.groups = groups;
    }

    @Override
    public int numPartitions() {
        return groups;
    }

    @Override
    public int getPartition(Object place) {
        return Math.toIntExact((Long) place / size);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GroupPartitioner that && that.size == size && that.groups == groups;
    }

    @Override
    public int hashCode() {
        return 31 * Long.hashCode(size) + groups;
    }
}
