import { PageHead } from "../parts/page-head.tsx";
import { Empty } from "../parts/panel.tsx";
import { Link } from "../router/link.tsx";

export function NotFoundPage() {
  return (
    <>
      <PageHead title="There is nothing here" />
      <Empty title="No page is at this address.">
        What it showed may have been removed. Begin at the <Link to="/">overview</Link>.
      </Empty>
    </>
  );
}
