package org.sparkqlora.spark.cluster;

import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import scala.Option;
import scala.Tuple2;

/** The Spark session of this process, where there is one. */
public final class CurrentSession {
    private static final String HADOOP = "spark.hadoop.";

    private CurrentSession() {}

    /** The session that is there and not stopped. */
    public static Optional<SparkSession> find() {
        Option<SparkSession> session = SparkSession.getDefaultSession();
        return session.isDefined() && !session.get().sparkContext().isStopped()
                ? Optional.of(session.get())
                : Optional.empty();
    }

    /** The configuration of Hadoop's file systems, as the session has it or will have it. */
    public static Configuration hadoop() {
        return find().map(session -> session.sparkContext().hadoopConfiguration())
                .orElseGet(CurrentSession::hadoopOfSettings);
    }

    private static Configuration hadoopOfSettings() {
        Configuration configuration = new Configuration();
        for (Tuple2<String, String> entry : new SparkConf().getAllWithPrefix(HADOOP)) {
            configuration.set(entry._1(), entry._2());
        }

        StoreTimeouts.apply(configuration);
        return configuration;
    }
}
