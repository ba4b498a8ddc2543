/** Requests to servers of others: addresses, bounded answers, and when to try again. */
@NullMarked
package org.sparkqlora.http;

import org.jspecify.annotations.NullMarked;
