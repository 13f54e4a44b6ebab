/** What to do when nothing was ever measured. */

export function NoData() {
  return (
    <section class="first-steps">
      <h2>Nothing has been measured yet</h2>
      <p>The page fills by itself as soon as a worker has answered a request.</p>
      <ol>
        <li>
          Start the server through the launcher:{" "}
          <code>opentelemetry-instrument gunicorn project.wsgi</code>
        </li>
        <li>Open any page of the site.</li>
        <li>
          Still nothing? <code>python manage.py manage_monitoring doctor</code> finds out why, with a
          remedy for each finding.
        </li>
      </ol>
    </section>
  );
}
