package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StorePath;

/** Deletes files of a folder: many by tasks, since a store takes its time for each. Driver only. */
record FileDeletion(JavaSparkContext context) {
    /** Sooner done here than by a job. */
    static final int FEW = 1 << 10;

    void delete(FileSystem files, List<Path> gone) throws IOException {
        if (gone.size() <= FEW) {
            Removal.all(files, gone);
            return;
        }

        try (HadoopJobs jobs = HadoopJobs.begin(context, "prepare: delete %d files", gone.size())) {
            List<String> names = gone.stream().map(Path::toString).toList();
            context.parallelize(names, TaskSlots.parts(context, names.size()))
                    .foreachPartition(new Delete(jobs.hadoop()));
        }
    }

    /** Deletes some of the files. Runs in a task. */
    private record Delete(Broadcast<SerializableConfiguration> configuration)
            implements VoidFunction<Iterator<String>> {
        @Override
        public void call(Iterator<String> names) throws IOException {
            List<Path> gone = new ArrayList<>();
            names.forEachRemaining(name -> gone.add(new Path(name)));
            if (!gone.isEmpty()) {
                Removal.all(StorePath.files(gone.get(0), configuration.value().value()), gone);
            }
        }
    }
}
